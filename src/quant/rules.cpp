#include "quant/rules.h"

#include "quant/quantiser.h"

#include <sstream>

namespace gemma3n::quant {

namespace {

std::string type_names() {
    std::string s;
    for (int t = 0; t < n_dtypes; t++)
        if (quantiser(static_cast<DType>(t))) s += (s.empty() ? "" : ", ") + std::string(dtype_infos[t].name);
    return s;
}

}  // namespace

Result<std::vector<Rule>> parse_rules(const std::string& content, const std::string& path) {
    std::vector<Rule> rules;
    std::istringstream lines(content);
    std::string line;
    for (int number = 1; std::getline(lines, line); number++) {
        std::istringstream words(line);
        std::string expression, type, more;
        words >> expression >> type >> more;
        if (expression.empty() || expression[0] == '#') continue;
        const auto wrong = [&](const std::string& what) { return fail(Code::bad_argument, "%s: line %d %s", path.c_str(), number, what.c_str()); };
        if (type.empty() || !more.empty()) return wrong("is '" + shown(line) + "': expected a regular expression and a type");
        int t = 0;
        while (t < n_dtypes && !(dtype_infos[t].name == type && quantiser(static_cast<DType>(t)))) t++;
        if (t == n_dtypes) return wrong("has type '" + shown(type) + "': expected one of " + type_names());
        try {
            rules.push_back({number, expression, std::regex(expression), static_cast<DType>(t)});
        } catch (const std::regex_error& e) {
            return wrong("has '" + shown(expression) + "', which is not a regular expression: " + e.what());
        }
    }
    if (rules.empty()) return fail(Code::bad_argument, "%s: holds no rule: expected lines of a regular expression and a type", path.c_str());
    return rules;
}

Rule* matching(std::vector<Rule>& rules, const std::string& gguf_name) {
    for (Rule& r : rules) {
        if (!std::regex_search(gguf_name, r.regex)) continue;
        r.used = true;
        return &r;
    }
    return nullptr;
}

}  // namespace gemma3n::quant
