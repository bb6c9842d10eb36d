// Words that a transcript has wrong.
#pragma once

#include <cstdint>
#include <string_view>

namespace gemma3n::measure {

struct WordErrors {
    int64_t words = 0;  // of the reference, parted by white space
    int64_t wrong = 0;  // fewest insertions, deletions and changes of words that lead from `said` to it; may be more than `words`
};

WordErrors word_errors(std::string_view said, std::string_view reference);

}  // namespace gemma3n::measure
