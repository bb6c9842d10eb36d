// Ids to text, whole and streamed; and the UTF-8 that both stand on.
#include "tokens/small_vocabulary.h"
#include "tokens/token_cases.h"
#include "base/utf8.h"

#include <random>

namespace gemma3n::test {

namespace {

TEST(Utf8, LengthOfValidSequences) {
    for (const auto& [s, n] : std::vector<std::pair<std::string, int>>{
             {"a", 1}, {std::string(1, '\0'), 1}, {"\x7F", 1}, {"\xC2\x80", 2}, {"\xDF\xBF", 2}, {"\xE0\xA0\x80", 3}, {"\xED\x9F\xBF", 3}, {"\xEE\x80\x80", 3}, {"\xEF\xBF\xBF", 3},
             {"\xF0\x90\x80\x80", 4}, {"\xF4\x8F\xBF\xBF", 4}}) {
        EXPECT_EQ(utf8_length(s, 0), n);
        EXPECT_TRUE(is_utf8(s));
        for (size_t cut_at = 1; cut_at < s.size(); cut_at++) {  // its beginnings are nothing yet, but may become something
            bool cut = false;
            EXPECT_EQ(utf8_length(s.substr(0, cut_at), 0, &cut), 0);
            EXPECT_TRUE(cut);
        }
    }
}

TEST(Utf8, InvalidSequences) {
    for (const char* s : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2" "a", "\xC2\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x28\xA1", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
                          "\xFE", "\xFF"}) {
        bool cut = false;
        EXPECT_EQ(utf8_length(s, 0, &cut), 0) << s;
        EXPECT_FALSE(cut) << "more bytes cannot complete it";
        EXPECT_FALSE(is_utf8(s));
    }
}

class Decode : public ::testing::Test {
protected:
    std::vector<int> bytes(std::string_view s) const {
        std::vector<int> ids;
        for (const char c : s) ids.push_back(SmallVocabulary::first_byte + static_cast<uint8_t>(c));
        return ids;
    }
    std::vector<int> join(std::vector<int> a, const std::vector<int>& b) const {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    }
    SmallVocabulary v_;
    std::shared_ptr<tokens::Tokenizer> t_ = v_.load(Spelling::merges_as_pairs);
};

TEST_F(Decode, PiecesAndSpecialTokens) {
    const auto ids = v_.ids({"<bos>", "<start_of_turn>", "user", "\n", "▁the", "▁▁", "<mask>", "<b>", "<end_of_turn>"});
    EXPECT_EQ(t_->decode(ids), "user\n the  <mask><b>");
    EXPECT_EQ(t_->decode(ids, false), "<bos><start_of_turn>user\n the  <mask><b><end_of_turn>");
    EXPECT_EQ(t_->decode({}), "");
    EXPECT_EQ(t_->decode({-1, 1 << 20, v_.id("a")}), "a");
}

TEST_F(Decode, ByteRunsAreTextOrOneReplacementPerByte) {
    EXPECT_EQ(t_->decode(bytes("é日😀")), "é日😀");
    EXPECT_EQ(t_->decode(bytes("a\xFF")), "\uFFFD\uFFFD");  // the run as a whole is not UTF-8
    EXPECT_EQ(t_->decode(join(bytes("\xE6\x97"), join({v_.id("a")}, bytes("\xA5")))), "\uFFFD\uFFFDa\uFFFD");
    const auto cut_by_special = join(bytes("\xE6\x97"), join({v_.id("<eos>")}, bytes("\xA5")));
    EXPECT_EQ(t_->decode(cut_by_special), "日");  // a special token that is dropped was never there
    EXPECT_EQ(t_->decode(cut_by_special, false), "\uFFFD\uFFFD<eos>\uFFFD");
}

TEST_F(Decode, StreamHoldsBackOnlyWhatIsIncomplete) {
    tokens::Detokenizer d(*t_);
    EXPECT_EQ(d.add(v_.id("▁the")), " the");
    EXPECT_EQ(d.add(bytes("\xF0")[0]), "");
    EXPECT_EQ(d.add(bytes("\x9F")[0]), "");
    EXPECT_EQ(d.add(v_.id("<end_of_turn>")), "");
    EXPECT_EQ(d.add(bytes("\x98")[0]), "");
    EXPECT_EQ(d.add(bytes("\x80")[0]), "😀");
    EXPECT_EQ(d.add(bytes("a")[0]), "a");
    EXPECT_EQ(d.add(bytes("\xC3")[0]), "");
    EXPECT_EQ(d.add(v_.id("a")), "\uFFFDa");  // it can no longer become a character
    EXPECT_EQ(d.add(bytes("\xE6")[0]), "");
    EXPECT_EQ(d.add(bytes("\x97")[0]), "");
    EXPECT_EQ(d.finish(), "\uFFFD\uFFFD");
    EXPECT_EQ(d.finish(), "");
    EXPECT_EQ(d.add(v_.id("a")), "a");
}

TEST_F(Decode, StreamOfInvalidBytesIsAlwaysUtf8AndLosesNothing) {
    std::mt19937 random(3);
    for (int k = 0; k < 2000; k++) {
        std::vector<int> ids;
        for (unsigned n = random() % 12; n > 0; n--) {
            const unsigned kind = random() % 4;
            if (kind == 0) ids.push_back(static_cast<int>(random() % v_.pieces.size()));
            else if (kind == 1) ids = join(ids, bytes(random() % 2 ? "é" : "日"));
            else ids.push_back(SmallVocabulary::first_byte + 0x80 + static_cast<int>(random() % 0x80));
        }
        const std::string s = streamed(*t_, ids, false), whole = t_->decode(ids, false);
        ASSERT_TRUE(is_utf8(s));
        ASSERT_TRUE(is_utf8(whole));
        if (runs_are_whole(*t_, ids, false)) {
            ASSERT_EQ(s, whole);
        }
        // where a run is broken the stream has shown its good characters already; the rest is one replacement a byte in both
        ASSERT_LE(s.size(), whole.size());
    }
}

}  // namespace

}  // namespace gemma3n::test
