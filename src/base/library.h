// A shared library that is loaded when it is first needed, and stays: what few runs need does not cost every run its pages.
#pragma once

namespace gemma3n {

// A function of it; null if the system has no such library, or the library no such function. `library` as the loader names it.
void* library_function(const char* library, const char* function);

}  // namespace gemma3n
