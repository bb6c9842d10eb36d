// The real vocabulary of Gemma 3 against what the Hugging Face library makes of the same texts: committed goldens, and the files of the
// live comparison (tests/oracle/tokens.py), which this program runs too. Skipped, by name, where the vocabulary is not in the cache.
#include "tokens/token_cases.h"

#include "format/checkpoint.h"

namespace gemma3n::test {

namespace {

using tokens::Tokenizer;

const std::filesystem::path goldens = std::filesystem::path(G3N_SOURCE_DIR) / "tests/tokens/data/gemma3.jsonl";

Result<std::shared_ptr<Tokenizer>> load(const std::filesystem::path& path) {
    if (path.extension() == ".json") return Tokenizer::from_json(read_text(path), path.string());
    auto checkpoint = format::Checkpoint::open(path.string());  // the tokenizer keeps the mapping alive
    if (!checkpoint) return checkpoint.error();
    return Tokenizer::load(**checkpoint);
}

void run(const std::filesystem::path& vocabulary, const std::filesystem::path& cases) {
    const auto t = load(vocabulary);
    ASSERT_TRUE(t) << t.error().message;
    CaseRunner runner(**t);
    runner.run(cases);
    std::cout << vocabulary.filename().string() << ": " << runner.n_texts << " texts in two modes, " << runner.n_ids << " id sequences, " << runner.n_turns
              << " conversations" << (runner.n_left_out ? "; left out, with ids beyond this vocabulary: " + std::to_string(runner.n_left_out) : "") << std::endl;
}

class Gemma3Vocabulary : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        path_ = cache_dir() / GetParam();
        if (!std::filesystem::exists(path_)) GTEST_SKIP() << path_ << " is not here";
    }
    std::filesystem::path path_;
};

TEST_P(Gemma3Vocabulary, Goldens) { run(path_, goldens); }

TEST_P(Gemma3Vocabulary, VectorsOfTheSheet) {
    const auto t = load(path_);
    ASSERT_TRUE(t) << t.error().message;
    const auto expect = [&](const std::string& text, const std::vector<int>& ids) { EXPECT_EQ((*t)->encode(text, {.parse_special = true}), ids) << text; };
    expect("Hello world!", {9259, 1902, 236888});
    expect(" Hello", {26352});
    expect("a b", {236746, 518});
    expect("a  b", {236746, 138, 236763});
    expect("a   b\n\n\n c", {236746, 139, 236763, 109, 505});
    expect("\t\tif x:\n\t\t\treturn 12345", {255969, 584, 1123, 236787, 107, 255970, 2060, 236743, 236770, 236778, 236800, 236812, 236810});
    expect("The quick brown fox jumps over the lazy dog.", {818, 3823, 8864, 37423, 38167, 1024, 506, 31770, 4799, 236761});
    expect("<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n", {105, 2364, 107, 10979, 106, 107, 105, 4368, 107});
    expect("日本語のテスト", {94951, 236945, 88733});
    expect("naïve café 😀 𐍈", {1789, 238527, 560, 33443, 163543, 236743, 478, 382, 379, 374});
    expect("1234567890", {236770, 236778, 236800, 236812, 236810, 236825, 236832, 236828, 236819, 236771});
    expect("<table><tr>x</tr></table>", {168, 173, 236781, 181, 176});
    expect("\r\nfoo\r\n", {251, 107, 26537, 251, 107});
    expect("a" + std::string(40, ' ') + "b", {236746, 167, 145, 236763});
    expect("don't  stop", {13246, 236789, 236745, 138, 11412});
}

// A run of 31 and one left over: the one belongs to the word, also when the run is typed as marks.
TEST_P(Gemma3Vocabulary, SpaceLeftOverFromRunsJoinsTheWord) {
    const auto t = load(path_);
    ASSERT_TRUE(t) << t.error().message;
    EXPECT_EQ((*t)->encode(std::string(32, ' ') + "the"), (std::vector<int>{167, (*t)->id_of("▁the")}));
    EXPECT_EQ((*t)->encode("  ▁the"), (std::vector<int>{139, (*t)->id_of("the")}));
}

INSTANTIATE_TEST_SUITE_P(Files, Gemma3Vocabulary, ::testing::Values("gemma3-tokenizer.json", "gemma3-270m-q4_k_m.gguf"),
                         [](const auto& info) { return std::string(info.index ? "Gguf270M" : "TokenizerJson"); });

TEST(Live, CasesOfTheOracle) {
    const char *vocabulary = getenv("GEMMA3N_LIVE_VOCABULARY"), *cases = getenv("GEMMA3N_LIVE_CASES");
    if (!vocabulary || !cases) GTEST_SKIP() << "run by tests/oracle/tokens.py";
    run(vocabulary, cases);
}

}  // namespace

}  // namespace gemma3n::test
