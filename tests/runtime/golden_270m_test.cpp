// Gemma 3 270M, Q4_K_M, where the file is at hand (GEMMA3N_CACHE or ~/.cache/gemma3n): real weights against transformers on the
// de-quantised weights. tools/oracle/gemma3_270m.py wrote the truth down: at every position of a short text its 64 largest logits
// and the log-sum-exp of all. The figure for 8-bit activations is the mean KL over those 64 and one bucket for all others, which is
// never above the whole KL; llama.cpp's own on the same ids, measured the same way, is the bar.
#include "gemma3n/engine.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace gemma3n::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "gemma3-270m-q4_k_m.gguf";
constexpr double tolerance = 2e-4;  // of the largest logit

fs::path model_file() {
    if (const char* cache = std::getenv("GEMMA3N_CACHE")) return fs::path(cache) / file_name;
    const char* home = std::getenv("HOME");
    return fs::path(home ? home : "") / ".cache/gemma3n" / file_name;
}

template <class T>
std::vector<T> read_all(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    std::vector<T> v(bytes.size() / sizeof(T));
    memcpy(v.data(), bytes.data(), v.size() * sizeof(T));
    return v;
}

struct Truth {
    std::vector<int> ids;
    int64_t top = 0;
    double largest_logit = 0, llama_cpp_kl = 0, llama_cpp_whole_kl = 0;
    std::string llama_cpp_version;
    std::vector<int32_t> top_ids;
    std::vector<float> top_logits, log_sum_exp;

    static Truth read() {
        const fs::path dir = fs::path(G3N_SOURCE_DIR) / "tests/runtime/data/gemma3_270m";
        Truth t;
        simdjson::dom::parser parser;
        const simdjson::dom::element j = parser.load((dir / "case.json").string());
        for (const int64_t id : simdjson::dom::array(j["ids"])) t.ids.push_back(static_cast<int>(id));
        t.top = j["top"];
        t.largest_logit = j["largest_logit"];
        t.llama_cpp_kl = j["llama_cpp"]["coarse_kl"];
        t.llama_cpp_whole_kl = j["llama_cpp"]["mean_kl"];
        t.llama_cpp_version = std::string(std::string_view(j["llama_cpp_python"]));
        t.top_ids = read_all<int32_t>(dir / "top_ids.i32");
        t.top_logits = read_all<float>(dir / "top_logits.f32");
        t.log_sum_exp = read_all<float>(dir / "log_sum_exp.f32");
        return t;
    }
};

double log_sum_exp(std::span<const float> logits) {
    double max = -INFINITY, sum = 0;
    for (const float x : logits) max = std::max<double>(max, x);
    for (const float x : logits) sum += std::exp(x - max);
    return max + std::log(sum);
}

struct Measured {
    double difference = 0;  // largest, of the truth's top logits and of the log-sum-exp, in parts of the largest logit
    double kl = 0;          // mean over positions
    double same_best = 0;
};

class Golden270m : public testing::Test {
protected:
    void SetUp() override {
        if (!fs::exists(model_file())) GTEST_SKIP() << model_file().string() << " is not here (tools/fetch_270m.sh fetches it)";
        truth_ = Truth::read();
        ASSERT_EQ(truth_.log_sum_exp.size(), truth_.ids.size());
        ASSERT_EQ(truth_.top_ids.size(), truth_.ids.size() * truth_.top);
        ASSERT_EQ(truth_.top_logits.size(), truth_.top_ids.size());
    }

    // Every position's logits; steps change between a prefill's size and a decode's, so that both kinds of product are measured.
    void measure(Activations activations, Measured& m, KvType kv = KvType::automatic) {
        const auto engine = Engine::load(model_file().string(), {.threads = 0, .kernels = "", .activations = activations, .kv = kv});
        ASSERT_TRUE(engine) << engine.error().message;
        const auto session = (*engine)->new_session();
        ASSERT_TRUE(session) << session.error().message;
        const size_t n = truth_.ids.size();
        for (size_t at = 0, size = 64; at < n; at += size, size = size == 64 ? 8 : 64) {
            std::vector<StepRow> rows;
            for (size_t i = at; i < std::min(at + size, n); i++) rows.push_back({session->get(), truth_.ids[i], nullptr, true});
            const auto logits = (*engine)->step(rows);
            ASSERT_TRUE(logits) << logits.error().message;
            for (size_t i = 0; i < rows.size(); i++) compare(at + i, logits->row(static_cast<int64_t>(i)), m);
        }
        m.difference /= truth_.largest_logit;
        m.kl /= static_cast<double>(n);
        m.same_best /= static_cast<double>(n);
    }

    void compare(size_t position, std::span<const float> logits, Measured& m) const {
        const double z = log_sum_exp(logits), truth_z = truth_.log_sum_exp[position];
        m.difference = std::max(m.difference, std::fabs(z - truth_z));
        double p_rest = 1, q_rest = 1;
        for (int64_t i = 0; i < truth_.top; i++) {
            const size_t at = position * truth_.top + i;
            const double expected = truth_.top_logits[at], got = logits[truth_.top_ids[at]];
            const double p = std::exp(expected - truth_z), q = std::exp(got - z);
            m.difference = std::max(m.difference, std::fabs(expected - got));
            m.kl += p * std::log(p / q);
            p_rest -= p;
            q_rest -= q;
        }
        p_rest = std::max(p_rest, 1e-12);
        m.kl += p_rest * std::log(p_rest / std::max(q_rest, 1e-12));
        m.same_best += std::max_element(logits.begin(), logits.end()) - logits.begin() == truth_.top_ids[position * truth_.top];
    }

    Truth truth_;
};

TEST_F(Golden270m, ExactActivationsGiveTheTruth) {
    Measured m;
    measure(Activations::f32, m);
    printf("270M, f32 activations: largest difference %.2e of the largest logit, mean KL %.2e\n", m.difference, m.kl);
    EXPECT_LE(m.difference, tolerance);
    EXPECT_LE(std::fabs(m.kl), 1e-5);
    EXPECT_GE(m.same_best, 0.99);
}

TEST_F(Golden270m, EightBitActivationsAreNotWorseThanLlamaCpp) {
    Measured m;
    measure(Activations::q8, m);
    printf("270M, 8-bit activations: mean KL %.3e; llama.cpp (llama-cpp-python %s): %.3e, over the whole vocabulary %.3e\n", m.kl,
           truth_.llama_cpp_version.c_str(), truth_.llama_cpp_kl, truth_.llama_cpp_whole_kl);
    EXPECT_LE(m.kl, truth_.llama_cpp_kl);
    EXPECT_GE(m.same_best, 0.95);
}

// What 8-bit keys and values change by themselves is less than what 8-bit activations do, and beside these it does not show.
TEST_F(Golden270m, EightBitKeysAndValuesChangeLessThanEightBitActivations) {
    Measured alone, activations, both;
    measure(Activations::f32, alone, KvType::q8);
    measure(Activations::q8, activations);
    measure(Activations::q8, both, KvType::q8);
    printf("270M, mean KL: 8-bit keys and values %.3e, 8-bit activations %.3e, both %.3e\n", alone.kl, activations.kl, both.kl);
    EXPECT_LE(alone.kl, activations.kl);
    EXPECT_LE(both.kl, activations.kl + 2 * alone.kl);
    EXPECT_GE(alone.same_best, 0.97);
}

}  // namespace
}  // namespace gemma3n::test
