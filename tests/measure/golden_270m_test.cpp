// Gemma 3 270M, Q4_K_M, where the file is at hand: the negative log-likelihoods of windows of tests/data/five_books.txt against those of
// transformers on the de-quantised weights; llama.cpp's own on the same windows is the bar for 8-bit activations. All goldens were made by
// tools/oracle/perplexity_270m.py. GEMMA3N_LONG: all 43 windows (./test.sh --long), otherwise the first few.
#include "measure/perplexity.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace gemma3n::measure {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "gemma3-270m-q4_k_m.gguf";
constexpr int64_t few_f32 = 2, few_q8 = 6;  // half a minute on two busy cores

fs::path model_file() {
    if (const char* cache = std::getenv("GEMMA3N_CACHE")) return fs::path(cache) / file_name;
    const char* home = std::getenv("HOME");
    return fs::path(home ? home : "") / ".cache/gemma3n" / file_name;
}

double rms(const std::vector<double>& a, const std::vector<double>& b, double scored) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum / static_cast<double>(a.size())) / scored;
}

double log_perplexity(const std::vector<double>& windows, double scored) {
    double sum = 0;
    for (const double x : windows) sum += x;
    return sum / static_cast<double>(windows.size()) / scored;
}

class GoldenPerplexity270m : public testing::Test {
protected:
    void SetUp() override {
        if (!fs::exists(model_file())) GTEST_SKIP() << model_file().string() << " is not here (tools/fetch_270m.sh fetches it)";
        simdjson::dom::parser parser;
        const simdjson::dom::element j = parser.load(std::string(G3N_SOURCE_DIR) + "/tests/measure/data/perplexity_270m.json");
        for (const double x : simdjson::dom::array(j["transformers"])) truth_.push_back(x);
        for (const double x : simdjson::dom::array(j["llama_cpp"])) llama_cpp_.push_back(x);
        n_tokens_ = j["n_tokens"];
        scored_ = static_cast<double>(int64_t(j["scored_per_window"]));
    }

    Perplexity measure(Activations activations, int64_t few) {
        const auto engine = Engine::load(model_file().string(), {.activations = activations});
        if (!engine) throw std::runtime_error(engine.error().message);
        std::ifstream in(std::string(G3N_SOURCE_DIR) + "/tests/data/five_books.txt", std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        const auto p = perplexity(**engine, text, {.plan = {.max_windows = std::getenv("GEMMA3N_LONG") ? -1 : few}});
        if (!p) throw std::runtime_error(p.error().message);
        EXPECT_EQ(p->n_tokens, n_tokens_) << "the text becomes other ids";
        truth_.resize(p->window_nll.size());
        llama_cpp_.resize(p->window_nll.size());
        return *p;
    }

    std::vector<double> truth_, llama_cpp_;
    int64_t n_tokens_ = 0;
    double scored_ = 0;
};

TEST_F(GoldenPerplexity270m, ExactActivationsAgreeWithTransformers) {
    const Perplexity p = measure(Activations::f32, few_f32);
    const double ratio = std::exp(log_perplexity(p.window_nll, scored_) - log_perplexity(truth_, scored_));
    printf("270M, f32 activations, %zu windows: perplexity %.4f, transformers' times %.7f; windows differ by %.1e (rms of mean log-likelihoods)\n", truth_.size(), p.value(), ratio,
           rms(p.window_nll, truth_, scored_));
    EXPECT_NEAR(ratio, 1, 1e-3);
    EXPECT_LE(rms(p.window_nll, truth_, scored_), 1e-4);
}

TEST_F(GoldenPerplexity270m, EightBitActivationsAreNotFurtherThanLlamaCpp) {
    const Perplexity p = measure(Activations::q8, few_q8);
    const double ours = rms(p.window_nll, truth_, scored_), theirs = rms(llama_cpp_, truth_, scored_);
    printf("270M, 8-bit activations, %zu windows: perplexity %.4f (truth %.4f, llama.cpp %.4f); windows differ from the truth by %.2e, llama.cpp's by %.2e\n", truth_.size(), p.value(),
           std::exp(log_perplexity(truth_, scored_)), std::exp(log_perplexity(llama_cpp_, scored_)), ours, theirs);
    EXPECT_LE(ours, theirs);
    if (!std::getenv("GEMMA3N_LONG")) return;  // over a few windows, errors of either sign cancel by luck
    EXPECT_LE(std::fabs(log_perplexity(p.window_nll, scored_) - log_perplexity(truth_, scored_)), std::fabs(log_perplexity(llama_cpp_, scored_) - log_perplexity(truth_, scored_)));
}

}  // namespace
}  // namespace gemma3n::measure
