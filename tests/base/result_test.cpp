// Result, Status and the two macros that hand errors up.
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace gemma3n::test {
namespace {

Result<std::unique_ptr<int>> half(int n) {
    if (n % 2) return fail(Code::bad_argument, "%d: expected an even number", n);
    return std::make_unique<int>(n / 2);
}

Status check(int n, int* reached) {
    TRY(n < 100 ? Status() : Status(fail(Code::over_budget, "%d: expected less than 100", n)));
    *reached = n;
    return {};
}

Result<int> quarter(int n) {
    ASSIGN(const std::unique_ptr<int> a, half(n));
    ASSIGN(auto b, half(*a));  // two in one scope
    int reached = 0;
    TRY(check(*b, &reached));
    return reached;
}

TEST(Result, HoldsAValueOrAnError) {
    auto good = half(8);
    ASSERT_TRUE(good);
    EXPECT_EQ(**good, 4);
    const std::unique_ptr<int> moved = std::move(*std::move(good));
    EXPECT_EQ(*moved, 4);
    const auto bad = half(7);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, Code::bad_argument);
    EXPECT_EQ(bad.error().message, "7: expected an even number");
}

TEST(Result, AValueMayItselfBeAnErrorsType) {
    const Result<std::string> s = std::string("text");
    ASSERT_TRUE(s);
    EXPECT_EQ(*s, "text");
}

TEST(Result, MacrosHandTheFirstErrorUp) {
    ASSERT_TRUE(quarter(40));
    EXPECT_EQ(*quarter(40), 10);
    EXPECT_EQ(quarter(41).error().message, "41: expected an even number");
    EXPECT_EQ(quarter(42).error().message, "21: expected an even number");
    EXPECT_EQ(quarter(400).error().message, "100: expected less than 100");
    EXPECT_EQ(quarter(400).error().code, Code::over_budget);
}

TEST(Result, SentencesOfAnyLength) {
    const std::string longer(5000, 'x');
    EXPECT_EQ(fail(Code::io, "%s: %d%%", longer.c_str(), 5).message, longer + ": 5%");
    EXPECT_EQ(text("%s", ""), "");
    EXPECT_EQ(text("%s %zu", "a", size_t{3}), "a 3");
}

}  // namespace
}  // namespace gemma3n::test
