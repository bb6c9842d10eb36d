#include "base/library.h"

#include <dlfcn.h>

namespace gemma3n {

void* library_function(const char* library, const char* function) {
    void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    return handle ? dlsym(handle, function) : nullptr;
}

}  // namespace gemma3n
