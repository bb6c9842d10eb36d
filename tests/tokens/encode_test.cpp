// Text to ids with a small vocabulary, in each of its three spellings: all must say the same.
#include "tokens/small_vocabulary.h"
#include "base/utf8.h"

#include <random>

namespace gemma3n::test {

namespace {

using Strings = std::vector<std::string>;

class Encode : public ::testing::TestWithParam<Spelling> {
protected:
    std::vector<int> plain(std::string_view text) const { return t_->encode(text); }
    std::vector<int> parsed(std::string_view text) const { return t_->encode(text, {.parse_special = true}); }
    void expect(std::string_view text, const Strings& pieces) const { EXPECT_EQ(plain(text), v_.ids(pieces)) << text; }
    SmallVocabulary v_;
    std::shared_ptr<tokens::Tokenizer> t_ = v_.load(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Spellings, Encode, ::testing::Values(Spelling::merges_as_pairs, Spelling::merges_as_strings, Spelling::gguf), [](const auto& info) {
    return std::string(info.param == Spelling::gguf ? "Gguf" : info.param == Spelling::merges_as_pairs ? "MergesAsPairs" : "MergesAsStrings");
});

TEST_P(Encode, BestRuleFirstThenLeftmost) {
    expect("", {});
    expect("the", {"t", "he"});
    expect(" the", {"▁the"});
    expect("in here", {"in", "▁", "he", "re"});
    expect(" there", {"▁there"});
    expect("aaaaa", {"aa", "aaa"});  // (aa)(aa)a, then aa with a: better pieces win, not longer matches from the left
    expect("日本日", {"日本", "日"});
}

TEST_P(Encode, RunsOfSpacesAreWholeAndTheSpareOneJoinsTheWord) {
    expect("a  b", {"a", "▁▁", "b"});
    expect("   the", {"▁▁▁", "t", "he"});
    expect("    the", {"▁▁▁", "▁the"});
    expect("     the", {"▁▁▁", "▁▁", "t", "he"});
    expect("▁▁", {"▁▁"});
    expect("  ▁ the", {"▁▁▁", "▁the"});  // spaces and typed marks are one run
}

TEST_P(Encode, LongestAddedTokenFirst) {
    expect("\n\n\n", {"\n\n", "\n"});
    expect("a<b>\n", {"a", "<b>", "\n"});
    expect("<b", {"<", "b"});
    expect("<mask><unused0>", {"<mask>", "<unused0>"});
}

TEST_P(Encode, SpecialTokensAreTextUnlessParsed) {
    for (const char* mark : {"<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>"}) {
        EXPECT_EQ(parsed(mark), v_.ids({mark})) << mark;
        for (const int id : plain(mark)) EXPECT_FALSE(t_->is_special(id)) << mark;
        EXPECT_EQ(t_->decode(plain(mark)), mark);
    }
    EXPECT_EQ(parsed("a<start_of_turn>the"), v_.ids({"a", "<start_of_turn>", "t", "he"}));
    // one mark inside the other: what is typed is never a mark, in no way of cutting
    for (const int id : plain("<start_of_<end_of_turn>turn>")) EXPECT_FALSE(t_->is_special(id));
    // a mark that stays text stays whole: "<b>" does not begin inside "<bos>", and is found behind it
    EXPECT_EQ(plain("<bos><b>").back(), v_.id("<b>"));
}

TEST_P(Encode, BosOnlyWhenAsked) {
    EXPECT_EQ(t_->encode("a", {.add_bos = true}), v_.ids({"<bos>", "a"}));
    EXPECT_EQ(t_->encode("", {.add_bos = true}), v_.ids({"<bos>"}));
    EXPECT_EQ(t_->bos(), 2);
}

TEST_P(Encode, CharactersWithoutAPieceBecomeBytes) {
    expect("aéb", {"a", "é", "b"});
    expect("ü", {"<0xC3>", "<0xBC>"});
    expect("a😀a", {"a", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "a"});
    expect(std::string_view("\0a\r", 3), {"<0x00>", "a", "<0x0D>"});
    EXPECT_EQ(t_->decode(plain("<0x41>")), "<0x41>");  // a typed byte piece is text
    for (const int id : plain("<0x41>")) EXPECT_NE(id, v_.id("<0x41>"));
}

TEST_P(Encode, BytesThatAreNotUtf8BecomeBytePieces) {
    expect("a\xFF" "a", {"a", "<0xFF>", "a"});
    expect("\xC3", {"<0xC3>"});
    expect("\xE6\x97" "a", {"<0xE6>", "<0x97>", "a"});
    expect("\xC0\xA0", {"<0xC0>", "<0xA0>"});                  // an overlong space is no space
    expect("\xED\xA0\x80", {"<0xED>", "<0xA0>", "<0x80>"});    // a surrogate
    expect("\xE2\x96", {"<0xE2>", "<0x96>"});                  // a mark cut short
    expect("\xE2\x96 ", {"<0xE2>", "<0x96>", "▁"});
}

TEST_P(Encode, WhatAnIdIs) {
    EXPECT_EQ(t_->size(), static_cast<int>(v_.pieces.size()));
    EXPECT_EQ(t_->piece(v_.id("▁the")), " the");
    EXPECT_EQ(t_->raw_piece(v_.id("▁the")), "▁the");
    EXPECT_EQ(t_->raw_piece(v_.id("▁▁")), "▁▁");
    EXPECT_EQ(t_->piece(v_.id("▁▁")), "  ");
    EXPECT_EQ(t_->id_of("▁▁▁"), v_.id("▁▁▁"));
    EXPECT_EQ(t_->id_of("nothing of the kind"), -1);
    EXPECT_EQ(t_->byte_of(v_.id("<0x0A>")), 10);
    EXPECT_EQ(t_->piece(v_.id("<0x0A>")), "\n");
    for (size_t i = 0; i < v_.pieces.size(); i++) EXPECT_EQ(t_->is_special(static_cast<int>(i)), v_.special[i]) << v_.pieces[i];
    for (const int id : {-1, t_->size(), 1 << 30}) {
        EXPECT_EQ(t_->piece(id), "");
        EXPECT_EQ(t_->raw_piece(id), "");
        EXPECT_EQ(t_->byte_of(id), -1);
        EXPECT_FALSE(t_->is_special(id));
    }
}

// A megabyte without a place to cut must cost n log n: were it n squared, this test would run for hours.
TEST_P(Encode, LongStretchesOfOneKind) {
    constexpr size_t n = 1 << 20;
    EXPECT_EQ(plain(std::string(n, 'a')).size(), n / 2);  // every pair of letters becomes one piece, and two pieces do not join
    EXPECT_EQ(plain(std::string(n, ' ')).size(), (n + 2) / 3);
    EXPECT_EQ(plain(std::string(n, '\n')).size(), n / 2);
    EXPECT_EQ(plain(std::string(n, '<')).size(), n);
    EXPECT_EQ(plain(std::string(n, '\xE2')).size(), n);
}

// The algorithm as the sheet tells it, without a queue and without cutting: the twin of the fast text. No added tokens.
std::vector<int> naive(const SmallVocabulary& v, const std::string& text) {
    std::vector<std::string> s;
    for (size_t i = 0; i < text.size();) {
        const size_t n = static_cast<size_t>(std::max(1, utf8_length(text, i)));
        const std::string c = text[i] == ' ' ? "▁" : text.substr(i, n);
        if (v.id(c) < static_cast<int>(v.pieces.size())) s.push_back(c);
        else for (const char b : c) s.push_back(SmallVocabulary::byte_piece(static_cast<uint8_t>(b)));
        i += n;
    }
    for (;;) {
        size_t best = v.merges.size(), at = 0;
        for (size_t i = 0; i + 1 < s.size(); i++) {
            const auto rule = std::find(v.merges.begin(), v.merges.end(), std::pair(s[i], s[i + 1]));
            if (const size_t rank = static_cast<size_t>(rule - v.merges.begin()); rank < best) best = rank, at = i;
        }
        if (best == v.merges.size()) return v.ids(s);
        s[at] += s[at + 1];
        s.erase(s.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
}

TEST_P(Encode, RandomTextsAsTheNaiveTwin) {
    std::mt19937 random(7);
    const Strings bits = {" ", " ", "a", "e", "h", "t", "r", "m", "o", "d", "l", "u", "s", "i", "n", "the", "model", "é", "日", "本", "ü", "😀", "\xFF", "\xE2\x96", "   "};
    for (int k = 0; k < 3000; k++) {
        std::string text;
        for (unsigned n = random() % 24; n > 0; n--) text += bits[random() % bits.size()];
        ASSERT_EQ(plain(text), naive(v_, text)) << text;
        if (is_utf8(text)) {
            EXPECT_EQ(t_->decode(plain(text)), text);
        }
    }
}

}  // namespace

}  // namespace gemma3n::test
