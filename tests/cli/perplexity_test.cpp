// perplexity: its figure from the logits that trace writes, reference runs, and what it refuses.
#include "cli/traced.h"

#include "gemma3n/engine.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gemma3n::test {
namespace {

const std::string& story() {
    static const std::string path = [] {
        std::string s;
        for (int i = 0; i < 90; i++) s += "the boat " + std::to_string(i * i % 17) + " is at sea, ";
        return write_file("story.txt", s);
    }();
    return path;
}

Ran perplexity(Args more) {
    Args a{"perplexity", tiny(), story(), "-t", "1", "-c", "32"};
    a.insert(a.end(), more.begin(), more.end());
    return command(a);
}

simdjson::dom::element parsed(const std::string& s) {
    static simdjson::dom::parser parser;
    return parser.parse(s);
}

TEST(PerplexityCommand, EqualsWhatTraceGives) {
    const Ran r = perplexity({"--windows", "3", "--activations", "f32", "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    const auto j = parsed(r.out);
    const std::vector<int> ids = *(*Engine::load(tiny(), {.threads = 1}))->tokenize(read_file(story()));
    EXPECT_EQ(int64_t(j["tokens"]), static_cast<int64_t>(ids.size()));
    double sum = 0, squares = 0;
    int n = 0;
    for (size_t w = 0; w < 3; w++) {
        std::string list = "2";
        for (size_t i = 1; i < 32; i++) list += "," + std::to_string(ids[w * 32 + i]);
        const std::string out = folder().path() + "/window.safetensors";
        ASSERT_EQ(command({"trace", tiny(), "-t", "1", "--ids", list, "--activations", "f32", "--only", "^logits$", "-o", out}).code, 0);
        const Stored logits = read_back(out).at("logits");
        const size_t vocab = static_cast<size_t>(logits.shape[1]);
        double window = 0;
        for (size_t i = 16; i < 31; i++, n++) {
            double z = 0;
            for (size_t k = 0; k < vocab; k++) z += std::exp(static_cast<double>(logits.values[i * vocab + k]));
            const double nll = std::log(z) - logits.values[i * vocab + static_cast<size_t>(ids[w * 32 + i + 1])];
            window += nll;
            squares += nll * nll;
        }
        EXPECT_NEAR(double(j["window_nll"].at(w)), window, 1e-4);
        sum += window;
    }
    const double mean = sum / n, deviation = std::sqrt((squares / n - mean * mean) / (n - 1));
    EXPECT_EQ(int64_t(j["scored"]), n);
    EXPECT_NEAR(double(j["mean_nll"]), mean, 1e-5);
    EXPECT_NEAR(double(j["mean_nll_error"]), deviation, 1e-5);
    EXPECT_NEAR(double(j["perplexity"]), std::exp(mean), 1e-5 * std::exp(mean));
    EXPECT_NEAR(double(j["error"]), deviation * std::exp(mean), 1e-4 * std::exp(mean));
}

TEST(PerplexityCommand, AgainstItselfKlIsZero) {
    const std::string reference = folder().path() + "/reference.kld";
    ASSERT_EQ(perplexity({"--save", reference}).code, 0);
    const Ran r = perplexity({"--against", reference, "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    const auto k = parsed(r.out)["against"];
    EXPECT_NEAR(double(k["mean_kl"]), 0, 1e-5);
    EXPECT_EQ(double(k["same_top"]), 1);
    EXPECT_NEAR(double(k["perplexity_ratio"]), 1, 1e-4);
    EXPECT_LT(double(k["kl_percentiles"]["99"]), 1e-3);
    const Ran table = perplexity({"--against", reference});
    EXPECT_NE(table.out.find("same best token  100.000 %"), std::string::npos) << table.out;
}

TEST(PerplexityCommand, ActivationsOf8BitAreAway) {
    const std::string reference = folder().path() + "/exact.kld";
    ASSERT_EQ(perplexity({"--activations", "f32", "--save", reference}).code, 0);
    const Ran r = perplexity({"--against", reference, "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_GT(double(parsed(r.out)["against"]["mean_kl"]), 1e-5);
}

TEST(PerplexityCommand, StridedWindows) {
    const Ran r = perplexity({"--stride", "8", "--windows", "5", "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(int64_t(parsed(r.out)["scored"]), 40);
}

void expect_refused(const Ran& r, int code, const std::string& sentence) {
    EXPECT_EQ(r.code, code);
    EXPECT_EQ(r.err.substr(0, r.err.find('\n')), "gemma3n: " + sentence);
    EXPECT_EQ(r.out, "");
}

TEST(PerplexityCommand, RefusesWhatCannotBeMeant) {
    const std::string empty = write_file("empty.txt", ""), brief = write_file("brief.txt", "a"), no = folder().path() + "/no.txt";
    expect_refused(command({"perplexity", tiny(), empty}), 1, empty + ": is empty");
    EXPECT_EQ(command({"perplexity", tiny(), no}).code, 1);
    expect_refused(command({"perplexity", tiny(), brief}), 1, brief + ": has 2 tokens: expected 1024 or more, twice the window of 512");
    expect_refused(perplexity({"--stride", "32"}), 2, "a stride of 32 tokens: expected 1 to 31, less than the window");
    expect_refused(perplexity({"--stride", "4", "--save", "x"}), 2, "--stride and --save cannot be given together");
    expect_refused(perplexity({"--against", brief}), 1, brief + ": has 1 bytes: expected a reference run that perplexity --save wrote");
    expect_refused(command({"perplexity", tiny(), story(), "-c", "3"}), 2, "--ctx-size is '3': expected a whole number, 4 to 16777216");
    expect_refused(command({"perplexity", tiny()}), 2, "perplexity needs FILE");
}

}  // namespace
}  // namespace gemma3n::test
