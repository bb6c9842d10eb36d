// tokenizer.json: the vocabulary, and as merge rules every way to put a piece together from two others, in the order of the pieces'
// worth; so that merging by rules gives the ids that merging by score gives with the GGUF's list.
#include "synth/vocabulary.h"

#include "base/result.h"

#include <unordered_set>

namespace gemma3n::synth {

namespace {

std::string quoted(std::string_view s) {
    std::string out = "\"";
    for (const char c : s) {
        if (c == '"' || c == '\\') out += '\\', out += c;
        else if (static_cast<unsigned char>(c) < 32) out += text("\\u%04x", c);
        else out += c;
    }
    return out + "\"";
}

bool is_run(const Piece& p) {
    return p.kind == PieceKind::user_defined && (p.text[0] == '\n' || p.text[0] == '\t' || p.text.starts_with("\xE2\x96\x81"));
}

class Merges {
public:
    explicit Merges(const std::vector<Piece>& pieces) {
        for (const Piece& p : pieces)
            if (p.kind == PieceKind::normal || is_run(p)) mergeable_.insert(p.text);
        for (const Piece& p : pieces)
            if (is_run(p)) add_splits(p.text);  // runs before all words, as the GGUF's are matched first
        for (const Piece& p : pieces)
            if (p.kind == PieceKind::normal) add_splits(p.text);
    }
    std::string json;

private:
    void add_splits(std::string_view s) {
        for (size_t i = 1; i < s.size(); i++) {
            const std::string left(s.substr(0, i)), right(s.substr(i));
            if (!mergeable_.contains(left) || !mergeable_.contains(right)) continue;
            json += (json.empty() ? "[" : ",\n[") + quoted(left) + "," + quoted(right) + "]";
        }
    }
    std::unordered_set<std::string> mergeable_;
};

}  // namespace

std::string tokenizer_json(const Shape& s, const Vocabulary& v) {
    std::vector<Piece> pieces = v.pieces;
    if (s.is_3n) {
        for (int64_t id = s.text_vocab; id < s.vocab; id++) pieces.push_back({text("<media%lld>", static_cast<long long>(id)), PieceKind::unused});
        const MediaIds m = media_ids(s);
        for (const auto& [id, name] : {std::pair{m.end_image, "<end_of_image>"}, {m.image, "<image_soft_token>"}, {m.end_audio, "<end_of_audio>"}, {m.audio, "<audio_soft_token>"}})
            pieces[static_cast<size_t>(id)] = {name, PieceKind::control, true};
    }
    std::string added, vocab;
    for (size_t id = 0; id < pieces.size(); id++) {
        const Piece& p = pieces[id];
        vocab += (id ? ",\n" : "") + quoted(p.text) + ":" + std::to_string(id);
        if (p.kind != PieceKind::control && p.kind != PieceKind::user_defined && p.kind != PieceKind::unknown) continue;
        added += (added.empty() ? "" : ",\n") + ("{\"id\":" + std::to_string(id)) + ",\"content\":" + quoted(p.text) +
                 ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":" + (p.special ? "true}" : "false}");
    }
    const std::string m = "\xE2\x96\x81";
    return "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[\n" + added +
           "\n],\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" + m + "\"}," +
           "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"MergedWithPrevious\",\"invert\":false}," +
           "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<bos>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}]," +
           "\"pair\":[{\"SpecialToken\":{\"id\":\"<bos>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"SpecialToken\":{\"id\":\"<bos>\",\"type_id\":1}}," +
           "{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],\"special_tokens\":{\"<bos>\":{\"id\":\"<bos>\",\"ids\":[" + std::to_string(bos_id) + "],\"tokens\":[\"<bos>\"]}}}," +
           "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"" + m + "\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}]}," +
           "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":\"<unk>\",\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":true," +
           "\"byte_fallback\":true,\"ignore_merges\":false,\"vocab\":{\n" + vocab + "\n},\"merges\":[\n" + Merges(pieces).json + "\n]}}\n";
}

}  // namespace gemma3n::synth
