#include "base/cpu.h"

#include <sched.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

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

uint64_t peak_resident_bytes() {
    const std::string kb = proc_value("/proc/self/status", "VmHWM");
    return kb.empty() ? 0 : std::stoull(kb) * 1024;
}

ArmFeatures arm_features() {
#if defined(__aarch64__)
    constexpr unsigned long asimddp = 1ul << 20, i8mm = 1ul << 13;
    return {(getauxval(AT_HWCAP) & asimddp) != 0, (getauxval(AT_HWCAP2) & i8mm) != 0};
#else
    return {};
#endif
}

}  // namespace gemma3n
