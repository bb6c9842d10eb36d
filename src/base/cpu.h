// What the machine under the process is: cores, the CPU's name, a polite busy-wait, peak memory.
#pragma once

#include <cstdint>
#include <string>

namespace gemma3n {

// One hint to the core that this thread is spinning.
inline void cpu_relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

int physical_cores();         // of those this process may run on; >= 1
std::string cpu_name();       // as the system reports it, "unknown" if it does not
uint64_t last_level_cache_bytes();  // as the system reports it; 0 if it does not
uint64_t resident_bytes();       // VmRSS of this process, file pages included; 0 if unknown
uint64_t peak_resident_bytes();  // VmHWM of this process, file pages included; 0 if unknown

struct ArmFeatures {
    bool dotprod, i8mm;
};
ArmFeatures arm_features();  // none on another kind of CPU

}  // namespace gemma3n
