// The tables of this program and the choice among them.
#include "base/cpu.h"
#include "kernels/isa.h"

#include <cstring>

#if defined(__x86_64__) && !defined(G3N_PLAIN_KERNELS)
#include <cpuid.h>
#endif

namespace gemma3n::kernels {

namespace {

// A set's fill functions are compiled with its flags, so they may not even run on a CPU that lacks it.
[[maybe_unused]] Table filled(const char* name, bool supported, void (*vectors)(Table&), void (*q8)(Table&)) {
    Table t = reference();
    t.name = name;
    if (supported) {
        vectors(t);
        q8(t);
    }
    return t;
}

#if defined(__x86_64__) && !defined(G3N_PLAIN_KERNELS)

bool has_f16c() {  // __builtin_cpu_supports of older clangs does not know it
    unsigned a, b, c = 0, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c(); }
bool has_avx512vnni() {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
}

const Table avx2_table = filled("avx2", has_avx2(), avx2::fill_vectors, avx2::fill_q8);
const Table avx512vnni_table = filled("avx512vnni", has_avx512vnni(), avx512vnni::fill_vectors, avx512vnni::fill_q8);

const Entry entries[] = {{&reference(), true}, {&avx2_table, has_avx2()}, {&avx512vnni_table, has_avx512vnni()}};

#elif defined(__aarch64__) && !defined(G3N_PLAIN_KERNELS)

bool has_dotprod() { return arm_features().dotprod; }
bool has_i8mm() { return has_dotprod() && arm_features().i8mm; }

const Table neon_table = filled("neon", true, neon::fill_vectors, neon::fill_q8);
const Table neon_dotprod_table = filled("neon-dotprod", has_dotprod(), neon::fill_vectors, neon_dotprod::fill_q8);
const Table neon_i8mm_table = filled("neon-i8mm", has_i8mm(), neon::fill_vectors, neon_i8mm::fill_q8);

const Entry entries[] = {{&reference(), true}, {&neon_table, true}, {&neon_dotprod_table, has_dotprod()}, {&neon_i8mm_table, has_i8mm()}};

#else

const Entry entries[] = {{&reference(), true}};

#endif

constexpr int n_entries = sizeof entries / sizeof entries[0];

}  // namespace

Entries all() { return {entries, entries + n_entries}; }

const Table* choose(const char* name) {
    if (name) {
        for (const Entry& e : all())
            if (e.supported && strcmp(e.table->name, name) == 0) return e.table;
        return nullptr;
    }
    const Table* best = &reference();
    for (const Entry& e : all())
        if (e.supported) best = e.table;
    return best;
}

}  // namespace gemma3n::kernels
