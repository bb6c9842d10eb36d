#include "measure/word_errors.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace gemma3n::measure {

namespace {

std::vector<std::string_view> words_of(std::string_view s) {
    constexpr std::string_view white = " \t\r\n";
    std::vector<std::string_view> out;
    for (size_t at = s.find_first_not_of(white); at != std::string_view::npos; at = s.find_first_not_of(white, at)) {
        const size_t end = std::min(s.find_first_of(white, at), s.size());
        out.push_back(s.substr(at, end - at));
        at = end;
    }
    return out;
}

}  // namespace

WordErrors word_errors(std::string_view said, std::string_view reference) {
    const auto a = words_of(said), b = words_of(reference);
    std::vector<int64_t> row(b.size() + 1);  // Levenshtein's, from the first i words of `said` to the first j of the reference
    std::iota(row.begin(), row.end(), 0);
    for (size_t i = 1; i <= a.size(); i++) {
        int64_t diagonal = row[0];
        row[0] = static_cast<int64_t>(i);
        for (size_t j = 1; j <= b.size(); j++) {
            const int64_t changed = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
        }
    }
    return {static_cast<int64_t>(b.size()), row.back()};
}

}  // namespace gemma3n::measure
