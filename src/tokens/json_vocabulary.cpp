// The vocabulary of a Hugging Face tokenizer.json: model.vocab, model.merges ("a b" or ["a", "b"]), added_tokens.
#include "tokens/bpe.h"
#include "base/utf8.h"

#include <simdjson.h>

#include <algorithm>

namespace gemma3n::tokens {

namespace {

// (left, right) -> (rank, result), open addressing: half a million rules.
class MergeRules final : public Rules {
public:
    explicit MergeRules(size_t n) {
        size_t size = 64;
        while (size < n * 2) size *= 2;
        slots_.resize(size);
    }
    void add(int left, int right, int rank, int id) {
        for (uint64_t i = hash(left, right);; i++) {
            Slot& s = slots_[i & (slots_.size() - 1)];
            if (s.rank >= 0 && (s.left != left || s.right != right)) continue;
            s = {left, right, rank, id};  // of a rule that is stated twice the last one counts, as in the reference
            return;
        }
    }
    bool find(int left, int right, Merge& out) const override {
        for (uint64_t i = hash(left, right);; i++) {
            const Slot& s = slots_[i & (slots_.size() - 1)];
            if (s.rank < 0) return false;
            if (s.left != left || s.right != right) continue;
            out = {static_cast<double>(s.rank), s.id};
            return true;
        }
    }

private:
    struct Slot {
        int left = 0, right = 0, rank = -1, id = 0;
    };
    static uint64_t hash(int a, int b) {
        uint64_t h = (static_cast<uint64_t>(static_cast<uint32_t>(a)) << 32 | static_cast<uint32_t>(b)) * 0x9E3779B97F4A7C15ull;
        return h ^ (h >> 32);
    }
    std::vector<Slot> slots_;
};

constexpr int64_t max_vocabulary = 1 << 24;  // no vocabulary is near it

// Text must become pieces as Gemma's does: spaces are replaced by marks and nothing else happens. Another pipeline over the same kind
// of model would give ids that look right and are not.
Status check_pipeline(simdjson::dom::element root, const char* path) {
    std::string_view type, from, to;
    if (const auto normalizer = root["normalizer"]; !normalizer["type"].get(type)) {
        const bool marks = type == "Replace" && !normalizer["pattern"]["String"].get(from) && from == " " && !normalizer["content"].get(to) && to == space_mark;
        if (!marks) return fail(Code::unsupported, "%s: its normalizer is of kind '%s': expected Gemma's, which replaces spaces by U+2581", path, shown(type).c_str());
    }
    if (const auto split = root["pre_tokenizer"]; !split["type"].get(type)) {  // at spaces, of which none are left
        if (type != "Split" || split["pattern"]["String"].get(from) || from != " ") {
            return fail(Code::unsupported, "%s: its pre-tokenizer is of kind '%s': expected Gemma's, which splits at spaces", path, shown(type).c_str());
        }
    }
    return {};
}

// The two pieces of a rule, and what they make. Looked up in batches: while one piece comes from memory the others are asked for.
struct StatedMerge {
    std::string_view left, right;
    std::string joined;
    uint64_t left_hash, right_hash, joined_hash;
};
constexpr size_t merge_batch = 32;

Result<std::unique_ptr<Rules>> read_merges(simdjson::dom::array merges, const PieceIndex& index, const char* path) {
    constexpr size_t max_merges = max_vocabulary - 1;  // where the parser's count of a list ends: there may be more
    if (merges.size() >= max_merges) return fail(Code::bad_file, "%s: %zu merges or more: expected fewer", path, max_merges);
    auto rules = std::make_unique<MergeRules>(merges.size());
    std::vector<StatedMerge> batch(merge_batch);
    size_t n = 0;
    int rank = 0;  // of batch[0]
    const auto flush = [&]() -> Status {
        for (size_t i = 0; i < n; i++, rank++) {
            const StatedMerge& m = batch[i];
            const int left = index.find(m.left, m.left_hash), right = index.find(m.right, m.right_hash), id = index.find(m.joined, m.joined_hash);
            if (left < 0 || right < 0 || id < 0) {
                return fail(Code::bad_file, "%s: merge %d, '%s' with '%s', is not of pieces in the vocabulary", path, rank, shown(m.left).c_str(), shown(m.right).c_str());
            }
            rules->add(left, right, rank, id);
        }
        n = 0;
        return {};
    };
    for (const auto rule : merges) {
        StatedMerge& m = batch[n];
        std::string_view both;
        simdjson::dom::array pair;
        if (!rule.get(both)) {
            const size_t space = both.find(' ');
            if (space == std::string_view::npos) return fail(Code::bad_file, "%s: merge %d is '%s': expected two pieces", path, rank + static_cast<int>(n), shown(both).c_str());
            m.left = both.substr(0, space);
            m.right = both.substr(space + 1);
        } else if (rule.get(pair) || pair.size() != 2 || pair.at(0).get(m.left) || pair.at(1).get(m.right)) {
            return fail(Code::bad_file, "%s: merge %d is neither \"a b\" nor [\"a\", \"b\"]", path, rank + static_cast<int>(n));
        }
        m.joined.assign(m.left).append(m.right);
        for (const auto& [hash, piece] : {std::pair(&m.left_hash, m.left), {&m.right_hash, m.right}, {&m.joined_hash, std::string_view(m.joined)}}) {
            *hash = PieceIndex::hash_of(piece);
            index.prefetch(*hash);
        }
        if (++n == merge_batch) TRY(flush());
    }
    TRY(flush());
    return std::unique_ptr<Rules>(std::move(rules));
}

}  // namespace

Result<std::shared_ptr<Tokenizer>> Tokenizer::from_json(std::string_view json, const std::string& subject) {
    const char* path = subject.c_str();
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (const auto e = parser.allocate(json.size(), 64)) return fail(Code::bad_file, "%s: %s", path, simdjson::error_message(e));
    if (const auto e = parser.parse(json.data(), json.size()).get(root)) return fail(Code::bad_file, "%s: is not valid JSON: %s", path, simdjson::error_message(e));
    std::string_view type;
    if (!root["model"]["type"].get(type) && type != "BPE") return fail(Code::unsupported, "%s: model type '%s': expected BPE", path, shown(type).c_str());
    TRY(check_pipeline(root, path));
    simdjson::dom::object vocab;
    simdjson::dom::array merges, added;
    if (root["model"]["vocab"].get(vocab)) return fail(Code::bad_file, "%s: has no model.vocab", path);
    if (root["model"]["merges"].get(merges)) return fail(Code::bad_file, "%s: has no model.merges", path);

    auto v = std::make_unique<Vocabulary>();
    std::fill(std::begin(v->id_of_byte), std::end(v->id_of_byte), -1);
    // A whole vocabulary spends several bytes of JSON on each id: one beyond that only makes us allocate.
    const int64_t max_id = std::min(max_vocabulary, static_cast<int64_t>(json.size())) - 1;
    const auto place = [&](std::string_view piece, int64_t id, bool special) -> Status {
        if (id < 0 || id > max_id) return fail(Code::bad_file, "%s: piece '%s' has id %lld: expected 0 to %lld", path, shown(piece).c_str(), static_cast<long long>(id), static_cast<long long>(max_id));
        const size_t i = static_cast<size_t>(id);
        if (i >= v->pieces.size()) {
            const size_t n = std::max(i + 1, std::min(v->pieces.size() * 2, static_cast<size_t>(max_id) + 1));
            v->pieces.resize(n);
        }
        if (v->pieces[i].data() && v->pieces[i] != piece) {
            return fail(Code::bad_file, "%s: id %lld is both '%s' and '%s'", path, static_cast<long long>(id), shown(v->pieces[i]).c_str(), shown(piece).c_str());
        }
        if (!v->pieces[i].data()) v->pieces[i] = v->storage.emplace_back(piece);
        if (special) {
            if (v->special.size() <= i) v->special.resize(i + 1, false);
            v->special[i] = true;
        }
        return {};
    };
    int64_t largest = -1;
    for (const auto [piece, value] : vocab) {
        int64_t id;
        if (value.get(id)) return fail(Code::bad_file, "%s: piece '%s' has an id that is not a whole number", path, shown(piece).c_str());
        TRY(place(piece, id, false));
        largest = std::max(largest, id);
    }
    if (!root["added_tokens"].get(added)) {
        for (const auto token : added) {
            std::string_view content;
            int64_t id;
            bool special = false;
            if (token["content"].get(content) || token["id"].get(id)) return fail(Code::bad_file, "%s: an added token without content or id", path);
            [[maybe_unused]] const auto absent = token["special"].get(special);
            TRY(place(content, id, special));
            largest = std::max(largest, id);
            v->added.add(v->pieces[static_cast<size_t>(id)], static_cast<int>(id));
        }
    }
    if (largest < 0) return fail(Code::bad_file, "%s: its vocabulary is empty", path);
    const size_t n = static_cast<size_t>(largest) + 1;
    v->pieces.resize(n);
    v->special.resize(n, false);
    v->byte_of.assign(n, -1);
    v->index.reserve(v->pieces);
    for (size_t i = 0; i < n; i++) {
        if (!v->pieces[i].data()) continue;
        v->index.add(static_cast<int>(i));
        const int b = parse_byte_piece(v->pieces[i]);
        if (b >= 0 && v->id_of_byte[b] < 0) {
            v->byte_of[i] = static_cast<int16_t>(b);
            v->id_of_byte[b] = static_cast<int>(i);
        }
    }
    bool byte_fallback = false;  // the library's default too
    if (root["model"]["byte_fallback"].get(byte_fallback) || !byte_fallback) std::fill(std::begin(v->id_of_byte), std::end(v->id_of_byte), -1);
    std::string_view unknown;
    if (!root["model"]["unk_token"].get(unknown)) v->unknown = v->index.find(unknown);
    v->bos = v->index.find("<bos>");

    ASSIGN(auto rules, read_merges(merges, v->index, path));
    return std::shared_ptr<Tokenizer>(std::make_shared<Bpe>(std::move(v), std::move(rules), false));
}

Result<std::shared_ptr<Tokenizer>> Tokenizer::load(const format::Checkpoint& checkpoint) {
    if (checkpoint.container() == format::Container::gguf) return tokenizer_from_gguf(checkpoint);
    const std::string subject = checkpoint.path() + "/tokenizer.json";
    auto json = checkpoint.side_file("tokenizer.json");
    if (!json) {
        if (json.error().code != Code::not_found) return json.error();
        return fail(Code::not_found, "%s: carries no tokenizer: tokenizer.json is missing", checkpoint.path().c_str());
    }
    return from_json(*json, subject);
}

}  // namespace gemma3n::tokens
