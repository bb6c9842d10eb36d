// The vocabulary of a GGUF file: token list, scores and types. Pieces stay in the mapping, but for the runs of spaces, which the
// converters spell with real spaces: they get back the space marks of tokenizer.json, and both ways behave alike.
#include "tokens/bpe.h"
#include "base/utf8.h"

#include <cmath>
#include <limits>

namespace gemma3n::tokens {

namespace {

enum TokenType : int64_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

// A pair merges when its concatenation is a normal piece; the better score first.
class ScoreRules final : public Rules {
public:
    ScoreRules(const Vocabulary& v, std::vector<float> priority) : v_(v), priority_(std::move(priority)) {}
    bool find(int left, int right, Merge& out) const override {
        const std::string_view a = v_.pieces[left], b = v_.pieces[right];
        char buffer[256];
        if (a.size() + b.size() > sizeof buffer || v_.byte_of[left] >= 0 || v_.byte_of[right] >= 0) return false;
        a.copy(buffer, a.size());
        b.copy(buffer + a.size(), b.size());
        const int id = v_.index.find({buffer, a.size() + b.size()});
        if (id < 0 || std::isnan(priority_[id])) return false;
        out = {priority_[id], id};
        return true;
    }

private:
    const Vocabulary& v_;
    std::vector<float> priority_;  // -score of normal pieces, NaN of others
};

// Types do not say which tokens are special in tokenizer.json: files call <mask> and <unusedN> control tokens, which are not, and
// media marks user-defined, which are.
bool is_special(std::string_view piece, int64_t type) {
    for (const std::string_view mark : {"<start_of_image>", "<end_of_image>", "<image_soft_token>", "<start_of_audio>", "<end_of_audio>", "<audio_soft_token>"})
        if (piece == mark) return true;
    return type != user_defined && piece != "<mask>" && piece != "[multimodal]" && !piece.starts_with("<unused");
}

// Spaces as marks.
std::string marked(std::string_view piece) {
    std::string s;
    for (const char c : piece) c == ' ' ? s += space_mark : s += c;
    return s;
}

template <class T>
const T* get(const format::Checkpoint& c, const char* key) {
    const auto it = c.metadata().find(std::string_view(key));
    return it == c.metadata().end() ? nullptr : std::get_if<T>(&it->second);
}

}  // namespace

Result<std::shared_ptr<Tokenizer>> tokenizer_from_gguf(const format::Checkpoint& c) {
    const char* path = c.path().c_str();
    const auto* pieces = get<std::vector<std::string_view>>(c, "tokenizer.ggml.tokens");
    if (!pieces || pieces->empty()) return fail(Code::not_found, "%s: carries no tokenizer: metadata key 'tokenizer.ggml.tokens' is missing", path);
    if (const auto* model = get<std::string>(c, "tokenizer.ggml.model"); model && *model != "llama") {
        return fail(Code::unsupported, "%s: its tokenizer is of kind '%s': expected llama", path, shown(*model).c_str());
    }
    const size_t n = pieces->size();
    const auto* scores = get<std::vector<double>>(c, "tokenizer.ggml.scores");
    const auto* types = get<std::vector<int64_t>>(c, "tokenizer.ggml.token_type");
    if (!scores || scores->size() != n) return fail(Code::bad_file, "%s: %zu token scores for %zu tokens", path, scores ? scores->size() : 0, n);
    if (!types || types->size() != n) return fail(Code::bad_file, "%s: %zu token types for %zu tokens", path, types ? types->size() : 0, n);
    if (n > std::numeric_limits<int>::max() / 2) return fail(Code::bad_file, "%s: %zu tokens: more than any vocabulary", path, n);

    auto v = std::make_unique<Vocabulary>();
    v->files = c.files();
    v->pieces = *pieces;
    v->special.assign(n, false);
    v->byte_of.assign(n, -1);
    std::fill(std::begin(v->id_of_byte), std::end(v->id_of_byte), -1);
    v->index.reserve(v->pieces);
    std::vector<float> priority(n, NAN);
    for (size_t i = 0; i < n; i++) {
        std::string_view& p = v->pieces[i];
        if ((*types)[i] == user_defined && p.find(' ') != std::string_view::npos) p = v->storage.emplace_back(marked(p));
        const int id = static_cast<int>(i);
        const int64_t type = (*types)[i];
        if (type == byte) {
            const int b = parse_byte_piece(p);
            if (b < 0) return fail(Code::bad_file, "%s: token %zu is called a byte but spelled '%s': expected <0x00> to <0xFF>", path, i, shown(p).c_str());
            v->byte_of[i] = static_cast<int16_t>(b);
            if (v->id_of_byte[b] < 0) v->id_of_byte[b] = id;
        }
        if (type == unknown && v->unknown < 0) v->unknown = id;
        if (type == normal) priority[i] = static_cast<float>(-(*scores)[i]);
        if (!p.empty()) v->index.add(id);
        if (type == control || type == user_defined || type == unknown) {
            v->special[i] = is_special(p, type);
            v->added.add(p, id);
        }
    }
    const auto id_key = [&](const char* key) {
        const auto* id = get<int64_t>(c, key);
        return id && *id >= 0 && *id < static_cast<int64_t>(n) ? static_cast<int>(*id) : -1;
    };
    v->bos = id_key("tokenizer.ggml.bos_token_id");
    if (v->bos < 0) v->bos = v->index.find("<bos>");
    if (const int u = id_key("tokenizer.ggml.unknown_token_id"); u >= 0) v->unknown = u;
    auto rules = std::make_unique<ScoreRules>(*v, std::move(priority));
    return std::shared_ptr<Tokenizer>(std::make_shared<Bpe>(std::move(v), std::move(rules), true));
}

}  // namespace gemma3n::tokens
