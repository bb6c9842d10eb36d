#include "base/cpu.h"

#include <sched.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>
#include <thread>

namespace gemma3n {

static std::string first_line(const std::string& path) {
    std::string line;
    if (FILE* f = fopen(path.c_str(), "r")) {
        char buffer[256];
        if (fgets(buffer, sizeof buffer, f)) line = buffer;
        fclose(f);
    }
    while (!line.empty() && line.back() == '\n') line.pop_back();
    return line;
}

int physical_cores() {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return std::max(1u, std::thread::hardware_concurrency());
    std::set<std::string> cores;  // hyper-threads of one core list the same siblings
    for (int c = 0; c < CPU_SETSIZE; c++) {
        if (!CPU_ISSET(c, &allowed)) continue;
        std::string siblings = first_line("/sys/devices/system/cpu/cpu" + std::to_string(c) + "/topology/thread_siblings_list");
        cores.insert(siblings.empty() ? std::to_string(c) : siblings);
    }
    return cores.empty() ? 1 : static_cast<int>(cores.size());
}

// The value of the first "key : value" line of a /proc file; empty if there is none.
static std::string proc_value(const char* path, const char* key) {
    std::string value;
    if (FILE* f = fopen(path, "r")) {
        char line[512];
        while (value.empty() && fgets(line, sizeof line, f)) {
            if (strncmp(line, key, strlen(key)) != 0) continue;
            if (const char* colon = strchr(line, ':')) value = colon + 1;
        }
        fclose(f);
    }
    const size_t begin = value.find_first_not_of(" \t"), end = value.find_last_not_of(" \t\n");
    return begin == std::string::npos ? "" : value.substr(begin, end - begin + 1);
}

std::string cpu_name() {
    std::string name = proc_value("/proc/cpuinfo", "model name");
    if (name.empty()) return "unknown";
    const std::string family = proc_value("/proc/cpuinfo", "cpu family"), model = proc_value("/proc/cpuinfo", "model\t");
    if (!family.empty() && !model.empty()) name += " (family " + family + " model " + model + ")";
    return name;
}

uint64_t last_level_cache_bytes() {
    uint64_t largest = 0;
    for (int index = 0; index < 8; index++) {
        const std::string size = first_line("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size");  // "32768K"
        unsigned long long n = 0;
        char unit = 0;
        if (sscanf(size.c_str(), "%llu%c", &n, &unit) < 1) continue;
        largest = std::max<uint64_t>(largest, n * (unit == 'K' ? 1024 : unit == 'M' ? 1 << 20 : 1));
    }
    return largest;
}

static uint64_t status_bytes(const char* key) {
    const std::string kb = proc_value("/proc/self/status", key);
    return kb.empty() ? 0 : std::stoull(kb) * 1024;
}

uint64_t resident_bytes() { return status_bytes("VmRSS"); }
uint64_t peak_resident_bytes() { return status_bytes("VmHWM"); }

ArmFeatures arm_features() {
#if defined(__aarch64__)
    constexpr unsigned long asimddp = 1ul << 20, i8mm = 1ul << 13;
    return {(getauxval(AT_HWCAP) & asimddp) != 0, (getauxval(AT_HWCAP2) & i8mm) != 0};
#else
    return {};
#endif
}

}  // namespace gemma3n
