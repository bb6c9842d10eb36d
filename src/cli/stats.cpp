#include "cli/stats.h"

#include <cstdio>
#include <string>
#include <vector>

namespace gemma3n::cli {

namespace {

long long ll(int64_t v) { return static_cast<long long>(v); }

double rate(int64_t n, double s) { return s > 0 ? static_cast<double>(n) / s : 0.0; }

double gigabytes_at_peak(const Timing& t) { return static_cast<double>(t.peak_resident_bytes) / 1e9; }

// "e2b: prompt 0 to 510; full: prompt 511, answer 0 to 63": which slice made which tokens.
std::string sizes_text(const std::vector<SizeRun>& sizes) {
    std::string s;
    int64_t prompt = 0, answer = 0;
    const auto span = [](const char* what, int64_t& at, int64_t n) {
        const std::string first = std::to_string(at);
        at += n;
        return n == 0 ? "" : std::string(what) + first + (n > 1 ? " to " + std::to_string(at - 1) : "");
    };
    for (const SizeRun& r : sizes) {
        const std::string p = span("prompt ", prompt, r.prompt_tokens), g = span("answer ", answer, r.generated_tokens);
        if (p.empty() && g.empty()) continue;
        s += (s.empty() ? "" : "; ") + r.size + ": " + p + (p.empty() || g.empty() ? "" : ", ") + g;
    }
    return s;
}

}  // namespace

void print_stats(const Answer& a, const ModelInfo& m, uint64_t seed) {
    const Timing& t = a.timing;
    fprintf(stderr, "prompt      %lld tokens, %.2f s, %.1f tokens/s\n", ll(t.prompt_tokens), t.prefill_s, rate(t.prompt_tokens, t.prefill_s));
    fprintf(stderr, "answer      %lld tokens, %.2f s, %.1f tokens/s\n", ll(t.generated_tokens), t.decode_s, rate(t.generated_tokens, t.decode_s));
    fprintf(stderr, "first token %.3f s\n", t.prefill_s);
    fprintf(stderr, "sizes       %s\n", sizes_text(a.sizes).c_str());
    fprintf(stderr, "memory      %.3f GB at its peak, file pages included\n", gigabytes_at_peak(t));
    const std::string rows = m.per_layer_width > 0 ? "; per-layer rows by " + m.per_layer_reading : "";
    fprintf(stderr, "kernels     %s on %s%s; seed %llu\n", m.kernels.c_str(), m.cpu.c_str(), rows.c_str(), static_cast<unsigned long long>(seed));
}

void print_short_stats(const Answer& a, double encode_s) {
    const Timing& t = a.timing;
    const std::string size = a.sizes.empty() ? "" : a.sizes.back().size + ": ";
    fprintf(stderr, "[%sfirst token after %.3f s, %.1f tokens/s, %.3f GB of memory]\n", size.c_str(), encode_s + t.prefill_s, rate(t.generated_tokens, t.decode_s), gigabytes_at_peak(t));
}

}  // namespace gemma3n::cli
