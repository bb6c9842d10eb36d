// Word errors: counts by hand.
#include "measure/word_errors.h"

#include <gtest/gtest.h>

namespace gemma3n::measure {
namespace {

TEST(WordErrors, FewestChangesOfWords) {
    const auto says = [](const char* said, const char* reference, int64_t wrong, int64_t words) {
        const WordErrors e = word_errors(said, reference);
        EXPECT_EQ(e.wrong, wrong) << said << " / " << reference;
        EXPECT_EQ(e.words, words) << reference;
    };
    says("turn on the lamp", "turn on the lamp", 0, 4);
    says("  turn\ton the \n lamp ", "turn on the lamp", 0, 4);
    says("turn on lamp", "turn on the lamp", 1, 4);
    says("turn on the the lamp", "turn on the lamp", 1, 4);
    says("turn off the lamp", "turn on the lamp", 1, 4);
    says("turn of a lamp now", "turn on the lamp", 3, 4);
    says("", "forty two", 2, 2);
    says("one two three four", "five", 4, 1);
    says("Forty two", "forty two", 1, 2);
    says("a b c d", "b c d a", 2, 4);  // one taken out, one put in
    says("", "", 0, 0);
}

}  // namespace
}  // namespace gemma3n::measure
