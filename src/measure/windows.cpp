#include "measure/windows.h"

#include <algorithm>

namespace gemma3n::measure {

constexpr int64_t shortest = 4;  // of which one id is scored

Result<std::vector<Window>> cut_windows(int64_t n_tokens, const WindowPlan& plan, const std::string& name) {
    const auto ll = [](int64_t v) { return static_cast<long long>(v); };
    if (plan.n_ctx < shortest) return fail(Code::bad_argument, "windows of %lld tokens: expected %lld or more", ll(plan.n_ctx), ll(shortest));
    if (plan.stride < 0 || plan.stride >= plan.n_ctx) {
        return fail(Code::bad_argument, "a stride of %lld tokens: expected 1 to %lld, less than the window", ll(plan.stride), ll(plan.n_ctx - 1));
    }
    if (n_tokens < 2 * plan.n_ctx) {  // llama.cpp's own demand; fewer say nothing about a model
        return fail(Code::bad_file, "%s: has %lld tokens: expected %lld or more, twice the window of %lld", name.c_str(), ll(n_tokens), ll(2 * plan.n_ctx), ll(plan.n_ctx));
    }
    const int64_t step = plan.stride > 0 ? plan.stride : plan.n_ctx;
    const int64_t first = plan.stride > 0 ? plan.n_ctx - plan.stride - 1 : plan.n_ctx / 2;
    int64_t n = plan.stride > 0 ? (n_tokens - plan.n_ctx + step - 1) / step : n_tokens / step;
    if (plan.max_windows >= 0) n = std::min(n, plan.max_windows);
    std::vector<Window> windows;
    for (int64_t i = 0; i < n; i++) windows.push_back({i * step, first});
    return windows;
}

}  // namespace gemma3n::measure
