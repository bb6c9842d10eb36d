#include "quant/hf_metadata.h"

#include "base/result.h"
#include "tokens/chat_template.h"
#include "tokens/tokenizer.h"
#include "tokens/vocabulary.h"

#include <simdjson.h>

#include <algorithm>
#include <limits>

namespace gemma3n::quant {

namespace {

enum TokenType : int32_t { normal = 1, control = 3, user_defined = 4, unused = 5, byte = 6 };

constexpr float added_score = -1000, padding_score = -10000;
constexpr std::string_view space_mark = "\xE2\x96\x81";

struct Tokens {
    std::vector<std::string> pieces;
    std::vector<float> scores;
    std::vector<int32_t> types;

    explicit Tokens(int64_t n) : scores(static_cast<size_t>(n), padding_score), types(static_cast<size_t>(n), unused) {
        for (int64_t i = 0; i < n; i++) pieces.push_back("[PAD" + std::to_string(i) + "]");
    }
    // Ids beyond the table are dropped: the tokenizer of a text model also knows a media mark that the network has no row for.
    void put(int64_t id, std::string_view piece, TokenType type, float score) {
        if (id < 0 || id >= static_cast<int64_t>(pieces.size())) return;
        const size_t i = static_cast<size_t>(id);
        pieces[i] = piece, scores[i] = score, types[i] = type;
    }
};

std::string with_spaces(std::string_view piece) {
    std::string s(piece);
    for (size_t i; (i = s.find(space_mark)) != std::string::npos;) s.replace(i, space_mark.size(), " ");
    return s;
}

bool is_reserved(std::string_view piece) { return piece == "<pad>" || piece == "<mask>" || (piece.starts_with("<unused") && piece.ends_with(">")); }

// tokenizer.json ranks merges, a GGUF file scores pieces: a piece's score is the place of its first merge among all pieces that merges
// make, negated, which for Gemma's vocabulary is the score that its SentencePiece model has. Pieces that no merge makes are single
// characters: nothing ever asks for theirs, and they come last.
Status read(simdjson::dom::element root, const std::string& path, Tokens& out, size_t n_json_bytes) {
    constexpr int64_t never = std::numeric_limits<int64_t>::max();
    std::vector<std::string_view> pieces(out.pieces.size());
    for (const auto [piece, value] : simdjson::dom::object(root["model"]["vocab"])) {
        const int64_t id = value.get_int64();
        if (id >= 0 && id < static_cast<int64_t>(pieces.size())) pieces[static_cast<size_t>(id)] = piece;
    }
    tokens::PieceIndex index;
    index.reserve(pieces);
    for (size_t i = 0; i < pieces.size(); i++)
        if (!pieces[i].empty()) index.add(static_cast<int>(i));
    std::vector<int64_t> rank(pieces.size(), never);
    int64_t r = 0;
    for (const auto rule : simdjson::dom::array(root["model"]["merges"])) {
        std::string joined;
        std::string_view both;
        if (!rule.get(both)) joined = std::string(both).erase(both.find(' '), 1);
        else joined.append(std::string_view(rule.at(0))).append(std::string_view(rule.at(1)));
        if (const int id = index.find(joined); id >= 0) rank[static_cast<size_t>(id)] = std::min(rank[static_cast<size_t>(id)], r);
        r++;
    }
    bool byte_fallback = false;
    if (root["model"]["byte_fallback"].get(byte_fallback)) byte_fallback = false;

    std::vector<bool> added(pieces.size(), false);
    simdjson::dom::array list;
    if (!root["added_tokens"].get(list)) {
        for (const auto token : list) {
            const int64_t id = token["id"].get_int64();
            const std::string_view piece = token["content"];
            bool special = false;
            if (token["special"].get(special)) special = false;
            const bool is_control = special || is_reserved(piece);
            out.put(id, is_control ? std::string(piece) : with_spaces(piece), is_control ? control : user_defined, added_score);
            if (id >= 0 && id < static_cast<int64_t>(added.size())) added[static_cast<size_t>(id)] = true;
        }
    }
    std::vector<size_t> order;
    for (size_t i = 0; i < pieces.size(); i++) {
        if (pieces[i].empty() || added[i]) continue;
        if (byte_fallback && tokens::parse_byte_piece(pieces[i]) >= 0) out.put(static_cast<int64_t>(i), pieces[i], byte, 0);
        else order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rank[a] < rank[b]; });
    for (size_t place = 0; place < order.size(); place++) out.put(static_cast<int64_t>(order[place]), pieces[order[place]], normal, -static_cast<float>(place));
    if (order.empty()) return fail(Code::bad_file, "%s: no piece of its %zu bytes lies in the rows of the embedding table", path.c_str(), n_json_bytes);
    return {};
}

}  // namespace

Status set_tokenizer(format::GgufWriter& w, const format::Checkpoint& checkpoint, const model::Config& c, int64_t rows) {
    const std::string path = checkpoint.path() + "/tokenizer.json";
    ASSIGN(const auto tokenizer, tokens::Tokenizer::load(checkpoint));  // every check of the file is there
    ASSIGN(const std::string json, checkpoint.side_file("tokenizer.json"));
    Tokens tokens(rows);
    try {
        simdjson::dom::parser parser;
        TRY(read(parser.parse(json), path, tokens, json.size()));
    } catch (const simdjson::simdjson_error& e) {
        return fail(Code::bad_file, "%s: %s", path.c_str(), e.what());
    }
    const auto id_of = [&](std::string_view piece) { return std::find(tokens.pieces.begin(), tokens.pieces.end(), piece) - tokens.pieces.begin(); };
    const auto set_id = [&](const char* key, int64_t id) {
        if (id >= 0 && id < rows) w.set(key, static_cast<uint32_t>(id));
    };
    w.set("tokenizer.ggml.model", "llama");
    w.set("tokenizer.ggml.pre", "default");
    w.set("tokenizer.ggml.tokens", tokens.pieces);
    w.set("tokenizer.ggml.scores", tokens.scores);
    w.set("tokenizer.ggml.token_type", tokens.types);
    set_id("tokenizer.ggml.bos_token_id", c.bos);
    const int64_t end_of_turn = id_of("<end_of_turn>"), eos = id_of("<eos>");
    set_id("tokenizer.ggml.eos_token_id", eos < rows ? eos : c.eos.empty() ? -1 : c.eos[0]);
    set_id("tokenizer.ggml.eot_token_id", end_of_turn);
    set_id("tokenizer.ggml.unknown_token_id", id_of("<unk>"));
    set_id("tokenizer.ggml.padding_token_id", id_of("<pad>"));
    w.set("tokenizer.ggml.add_bos_token", true);
    w.set("tokenizer.ggml.add_eos_token", false);
    w.set("tokenizer.ggml.add_space_prefix", false);
    if (const std::string chat = tokens::chat_template(checkpoint); !chat.empty()) w.set("tokenizer.chat_template", chat);
    return {};
}

}  // namespace gemma3n::quant
