// Broken and foreign vocabularies: each gives a sentence that names the file, never a crash and never a tokenizer that guesses.
#include "tokens/small_vocabulary.h"
#include "base/utf8.h"

#include <cmath>

namespace gemma3n::test {

namespace {

void expect_sentence(const Result<std::shared_ptr<tokens::Tokenizer>>& t, const std::string& part, const std::string& shown, Code code = Code::bad_file) {
    ASSERT_FALSE(t) << "accepted: " << shown;
    const std::string& m = t.error().message;
    EXPECT_EQ(t.error().code, code) << m;
    EXPECT_NE(m.find(part), std::string::npos) << "'" << m << "' of " << shown;
    EXPECT_TRUE(is_utf8(m)) << m;
    for (const char c : m) EXPECT_GE(static_cast<uint8_t>(c), 32) << m;
}

std::string bpe(const std::string& vocab, const std::string& merges, const std::string& more = "") {
    return R"({"model":{"type":"BPE","vocab":)" + vocab + R"(,"merges":)" + merges + "}" + more + "}";
}

TEST(BrokenJson, GivesASentence) {
    const auto expect = [](const std::string& json, const std::string& part, Code code = Code::bad_file) {
        const auto t = tokens::Tokenizer::from_json(json, "dir/tokenizer.json");
        expect_sentence(t, part, json, code);
        expect_sentence(t, "dir/tokenizer.json: ", json, code);
    };
    expect("", "not valid JSON");
    expect("{", "not valid JSON");
    expect("\xFF", "not valid JSON");
    expect(std::string(100'000, '['), "not valid JSON");
    expect("[]", "no model.vocab");
    expect("null", "no model.vocab");
    expect("{}", "no model.vocab");
    expect(R"({"model":null})", "no model.vocab");
    expect(R"({"model":{"type":"Unigram","vocab":[]}})", "'Unigram': expected BPE", Code::unsupported);
    expect(R"({"model":{"type":"BPE","vocab":[],"merges":[]}})", "no model.vocab");
    expect(R"({"model":{"type":"BPE","vocab":{"a":0}}})", "no model.merges");
    expect(bpe("{}", "[]"), "vocabulary is empty");
    expect(bpe(R"({"a":-1})", "[]"), "'a' has id -1");
    expect(bpe(R"({"a":99999999999})", "[]"), "'a' has id 99999999999");
    expect(bpe(R"({"a":99999999999999999999})", "[]"), "");
    expect(bpe(R"({"a":"0"})", "[]"), "not a whole number");
    expect(bpe(R"({"a":0.5})", "[]"), "not a whole number");
    expect(bpe(R"({"a":0,"b":0})", "[]"), "id 0 is both 'a' and 'b'");
    expect(bpe(R"({"a\nb":0,"\u0001":0})", "[]"), "id 0 is both 'a?b' and '?'");
    expect(bpe(R"({"a":0,"b":1})", R"(["a b"])"), "merge 0, 'a' with 'b', is not of pieces");
    expect(bpe(R"({"a":0,"b":1,"ab":2})", R"(["ab"])"), "merge 0 is 'ab': expected two pieces");
    expect(bpe(R"({"a":0,"b":1,"ab":2})", R"(["a b","a c"])"), "merge 1, 'a' with 'c'");
    for (const char* merge : {R"([["a"]])", R"([["a","b","a"]])", R"([[1,2]])", "[7]", "[null]", "[{}]", "[[]]"}) expect(bpe(R"({"a":0,"b":1,"ab":2})", merge), "merge 0 is neither");
    expect(bpe(R"({"a":0})", "[]", R"(,"added_tokens":[{"content":"b"}])"), "without content or id");
    expect(bpe(R"({"a":0})", "[]", R"(,"added_tokens":[{"id":1}])"), "without content or id");
    expect(bpe(R"({"a":0})", "[]", R"(,"added_tokens":[5])"), "without content or id");
    expect(bpe(R"({"a":0})", "[]", R"(,"added_tokens":[{"id":0,"content":"b"}])"), "id 0 is both 'a' and 'b'");
    expect(bpe(R"({"a":0})", "[]", R"(,"added_tokens":[{"id":-5,"content":"b"}])"), "id -5");
    expect(bpe(R"({"a":0})", "[]", R"(,"normalizer":{"type":"NFC"})"), "normalizer is of kind 'NFC'", Code::unsupported);
    expect(bpe(R"({"a":0})", "[]", R"(,"normalizer":{"type":"Replace","pattern":{"String":" "},"content":"_"})"), "normalizer", Code::unsupported);
    expect(bpe(R"({"a":0})", "[]", R"(,"pre_tokenizer":{"type":"ByteLevel"})"), "pre-tokenizer is of kind 'ByteLevel'", Code::unsupported);
}

TEST(BrokenJson, CutAnywhereNeverCrashes) {
    const std::string whole = SmallVocabulary().json(true);
    for (size_t n = 0; n < whole.size(); n += 7) EXPECT_FALSE(tokens::Tokenizer::from_json(whole.substr(0, n), "t")) << n;
}

TEST(OddJson, IsReadAsTheLibraryReadsIt) {
    const auto encode = [](const std::string& json, std::string_view text) {
        const auto t = tokens::Tokenizer::from_json(json, "t");
        return t ? (*t)->encode(text) : std::vector<int>{-1};
    };
    EXPECT_EQ(encode(bpe(R"({"a":0})", "[]"), "aXa"), (std::vector<int>{0, 0}));  // no unknown token, no bytes: dropped
    EXPECT_EQ(encode(R"({"model":{"unk_token":"?","fuse_unk":true,"vocab":{"a":0,"?":1},"merges":[]}})", "aXYaX"), (std::vector<int>{0, 1, 0, 1}));
    EXPECT_EQ(encode(R"({"model":{"unk_token":"?","fuse_unk":true,"vocab":{"a":0,"?":1,"<0x58>":2},"merges":[]}})", "X"), (std::vector<int>{1}));  // byte_fallback is off
    EXPECT_EQ(encode(R"({"model":{"unk_token":"?","byte_fallback":true,"vocab":{"a":0,"?":1,"<0x58>":2},"merges":[]}})", "XY"), (std::vector<int>{2, 1}));
    EXPECT_EQ(encode(bpe(R"({"a":5,"b":9,"ab":3})", R"(["a b"])"), "ab"), (std::vector<int>{3}));  // ids with gaps
    EXPECT_EQ(encode(bpe(R"({"a":0,"b":1,"ab":2})", R"(["a b"])", R"(,"normalizer":null,"pre_tokenizer":null)"), "ab"), (std::vector<int>{2}));
}

TEST(BrokenGguf, GivesASentence) {
    using Strings = std::vector<std::string>;
    const auto expect = [](const GgufKeys& keys, const std::string& part, Code code = Code::bad_file) { expect_sentence(load_gguf(keys.file()), part, part, code); };
    const auto keys = [](const Strings& tokens, const std::vector<float>& scores, const std::vector<int32_t>& types) {
        GgufKeys k;
        k.add("tokenizer.ggml.tokens", tokens);
        k.add("tokenizer.ggml.scores", scores);
        k.add("tokenizer.ggml.token_type", types);
        return k;
    };
    expect(GgufKeys(), "carries no tokenizer", Code::not_found);
    expect(keys({}, {}, {}), "carries no tokenizer", Code::not_found);
    expect(keys({"a", "b"}, {0}, {1, 1}), "1 token scores for 2 tokens");
    expect(keys({"a", "b"}, {0, 0}, {1}), "1 token types for 2 tokens");
    expect(keys({"a", "<0xG0>"}, {0, 0}, {1, 6}), "token 1 is called a byte but spelled '<0xG0>'");
    expect(keys({"\xFF\n"}, {0}, {6}), "spelled '?\?'");
    GgufKeys bert = keys({"a"}, {0}, {1});
    bert.add("tokenizer.ggml.model", std::string("bert"));
    expect(bert, "of kind 'bert': expected llama", Code::unsupported);
    GgufKeys only_tokens;
    only_tokens.add("tokenizer.ggml.tokens", Strings{"a"});
    expect(only_tokens, "0 token scores for 1 tokens");
}

TEST(OddGguf, TypesAndIdsOutOfRangeDoNoHarm) {
    GgufKeys k;
    k.add("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "ab", "", std::string(1000, 'a'), "\xFF", "[PAD6]"});
    k.add("tokenizer.ggml.scores", std::vector<float>{-1, -2, NAN, 0, 0, 0, INFINITY});
    k.add("tokenizer.ggml.token_type", std::vector<int32_t>{1, 1, 1, 1, 1, 77, 5});
    k.add("tokenizer.ggml.bos_token_id", uint32_t{4000000});
    k.add("tokenizer.ggml.unknown_token_id", uint32_t{4000000});
    const auto t = load_gguf(k.file());
    ASSERT_TRUE(t) << t.error().message;
    EXPECT_EQ((*t)->bos(), -1);
    EXPECT_EQ((*t)->encode("abX\xFF", {.add_bos = true}), (std::vector<int>{0, 1}));  // a score that is no number makes no rule
    EXPECT_EQ((*t)->encode(std::string(2000, 'a')).size(), 2000u);
}

}  // namespace

}  // namespace gemma3n::test
