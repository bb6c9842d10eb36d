// Which table runs: the names, the order, the force switch, and that a fast table really is made of fast functions.
#include "kernels/tables.h"

namespace gemma3n::kernels {
namespace {

TEST(Chooser, TheReferenceIsFirstAndAlwaysThere) {
    EXPECT_STREQ(all().begin()->table->name, "reference");
    EXPECT_TRUE(all().begin()->supported);
    EXPECT_EQ(choose("reference"), &reference());
}

TEST(Chooser, TakesTheLastThatTheCpuRuns) {
    const Table* best = nullptr;
    for (const Entry& e : all())
        if (e.supported) best = e.table;
    EXPECT_EQ(choose(), best);
    EXPECT_EQ(choose(nullptr), best);
    printf("kernels of this CPU: %s\n", best->name);
}

TEST(Chooser, ForcesAnyThatTheCpuRunsAndNoOther) {
    for (const Entry& e : all()) {
        EXPECT_EQ(choose(e.table->name), e.supported ? e.table : nullptr) << e.table->name;
        if (!e.supported) printf("kernels '%s' cannot run on this CPU\n", e.table->name);
    }
    EXPECT_EQ(choose("mmx"), nullptr);
    EXPECT_EQ(choose(""), nullptr);
}

TEST(Chooser, KnowsTheTablesOfTheArchitecture) {
#if defined(__x86_64__)
    EXPECT_EQ(test::table_names(), (std::vector<std::string>{"reference", "avx2", "avx512vnni"}));
#elif defined(__aarch64__)
    EXPECT_EQ(test::table_names(), (std::vector<std::string>{"reference", "neon", "neon-dotprod", "neon-i8mm"}));
#endif
}

class TableTest : public test::OnTable {};
ON_EVERY_TABLE(TableTest);

TEST_P(TableTest, HasEveryFunction) {
    for (DType t : {DType::f32, DType::f16, DType::bf16, DType::q4_0, DType::q5_0, DType::q8_0, DType::q4_k, DType::q6_k}) {
        EXPECT_NE(k->to_f32[static_cast<int>(t)], nullptr) << info(t).name;
        EXPECT_EQ(k->matvec_q8[static_cast<int>(t)] != nullptr, is_quantised(t)) << info(t).name;
        EXPECT_EQ(k->matmul_q8[static_cast<int>(t)] != nullptr, is_quantised(t)) << info(t).name;
    }
}

TEST_P(TableTest, SharesNoFunctionWithTheReference) {
    if (k == &truth) return;
    const auto pointers = [](const Table& t) {  // a table is its name and then nothing but pointers to functions
        std::vector<uintptr_t> p((sizeof(Table) - sizeof(const char*)) / sizeof(uintptr_t));
        memcpy(p.data(), reinterpret_cast<const char*>(&t) + sizeof(const char*), p.size() * sizeof(uintptr_t));
        return p;
    };
    const auto fast = pointers(*k), plain = pointers(truth);
    for (size_t i = 0; i < fast.size(); i++)
        EXPECT_TRUE(!plain[i] || fast[i] != plain[i]) << "function " << i << " of " << k->name;
}

}  // namespace
}  // namespace gemma3n::kernels
