#include "synth/vocabulary.h"

#include "format/checkpoint.h"
#include "tokens/tokenizer.h"

#include <gtest/gtest.h>

#include <set>

namespace gemma3n::synth {
namespace {

constexpr const char* mark = "\xE2\x96\x81";

TEST(Vocabulary, PublishedIdsAreInTheirPlaces) {
    const Vocabulary v = make_vocabulary(*find_shape("e2b"));
    ASSERT_EQ(v.pieces.size(), 262144u);
    const auto is = [&](size_t id, const std::string& text, PieceKind kind, bool special) {
        EXPECT_EQ(v.pieces[id].text, text) << id;
        EXPECT_EQ(v.pieces[id].kind, kind) << id;
        EXPECT_EQ(v.pieces[id].special, special) << id;
    };
    is(0, "<pad>", PieceKind::control, true);
    is(1, "<eos>", PieceKind::control, true);
    is(2, "<bos>", PieceKind::control, true);
    is(3, "<unk>", PieceKind::unknown, true);
    is(5, "[multimodal]", PieceKind::user_defined, false);
    is(6, "<unused0>", PieceKind::control, false);
    is(104, "<unused98>", PieceKind::control, false);
    is(105, "<start_of_turn>", PieceKind::control, true);
    is(106, "<end_of_turn>", PieceKind::control, true);
    is(107, "\n", PieceKind::user_defined, false);
    is(137, std::string(31, '\n'), PieceKind::user_defined, false);
    is(138, std::string(mark) + mark, PieceKind::user_defined, false);
    is(168, "<table>", PieceKind::user_defined, false);
    is(181, "</tr>", PieceKind::user_defined, false);
    is(190, "<blockquote>", PieceKind::user_defined, false);
    is(237, "</footer>", PieceKind::user_defined, false);
    is(238, "<0x00>", PieceKind::byte, false);
    is(493, "<0xFF>", PieceKind::byte, false);
    is(494, mark + std::string("t"), PieceKind::normal, false);
    is(495, "in", PieceKind::normal, false);
    is(496, mark + std::string("a"), PieceKind::normal, false);
    is(236743, mark, PieceKind::normal, false);
    is(255968, "\t", PieceKind::user_defined, false);
    is(255998, std::string(31, '\t'), PieceKind::user_defined, false);
    is(255999, "<start_of_image>", PieceKind::control, true);
    is(256000, "<start_of_audio>", PieceKind::control, true);
    is(256001, "<unused99>", PieceKind::control, false);
    is(262143, "<unused6241>", PieceKind::control, false);
    EXPECT_EQ(v.end_of_turn, 106);
    EXPECT_EQ(make_vocabulary(*find_shape("gemma3-4b")).pieces[256000].text, "<end_of_image>");
}

TEST(Vocabulary, PiecesAreDistinct) {
    for (const char* size : {"e2b", "tiny"}) {
        const Vocabulary v = make_vocabulary(*find_shape(size));
        EXPECT_EQ(v.pieces.size(), static_cast<size_t>(find_shape(size)->text_vocab));
        std::set<std::string> seen;
        for (const Piece& p : v.pieces) {
            EXPECT_FALSE(p.text.empty());
            EXPECT_TRUE(seen.insert(p.text).second) << p.text;
        }
    }
}

TEST(Vocabulary, TheTokenizerOfThePublishedSizeReadsAndWritesText) {
    const Shape& s = *find_shape("e2b");
    const auto t = tokens::Tokenizer::from_json(tokenizer_json(s, make_vocabulary(s)), "tokenizer.json");
    ASSERT_TRUE(t) << t.error().message;
    EXPECT_EQ((*t)->id_of("<audio_soft_token>"), 262273);
    for (const std::string text : {"Hello world, the user\n\n  x", "na\xC3\xAFve \xF0\x9F\x98\x80 \xE6\x97\xA5 \"quoted\" \\ \t\t\x01", "<table>kifusom</table>"}) {
        const std::vector<int> ids = (*t)->encode(text, {});
        EXPECT_LT(ids.size(), text.size() + 1);
        EXPECT_EQ((*t)->decode(ids, true), text);
    }
}

}  // namespace
}  // namespace gemma3n::synth
