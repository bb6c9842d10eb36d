// A vocabulary of 300 pieces in Gemma's shape, written as tokenizer.json with either spelling of merges, and as GGUF: for tests without
// any download.
#pragma once

#include "base/result.h"
#include "format/checkpoint.h"
#include "tokens/tokenizer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gemma3n::test {

enum class Spelling { merges_as_pairs, merges_as_strings, gguf };

// GGUF metadata without tensors, in the order given.
class GgufKeys {
public:
    void add(const std::string& key, const std::string& v) { head(key, 8), put_string(v); }
    void add(const std::string& key, uint32_t v) { head(key, 4), put(v); }
    void add(const std::string& key, const std::vector<std::string>& v) {
        array(key, 8, v.size());
        for (const auto& s : v) put_string(s);
    }
    void add(const std::string& key, const std::vector<float>& v) {
        array(key, 6, v.size());
        for (const float f : v) put(f);
    }
    void add(const std::string& key, const std::vector<int32_t>& v) {
        array(key, 5, v.size());
        for (const int32_t i : v) put(i);
    }
    std::string file() const {
        std::string s = "GGUF";
        const auto number = [&](auto v) { s.append(reinterpret_cast<const char*>(&v), sizeof v); };
        number(uint32_t{3}), number(uint64_t{0}), number(n_);
        return s + bytes_;
    }

private:
    template <class T>
    void put(T v) { bytes_.append(reinterpret_cast<const char*>(&v), sizeof v); }
    void put_string(const std::string& s) { put(uint64_t{s.size()}), bytes_ += s; }
    void head(const std::string& key, uint32_t type) { put_string(key), put(type), n_++; }
    void array(const std::string& key, uint32_t type, size_t n) { head(key, 9), put(type), put(uint64_t{n}); }
    std::string bytes_;
    uint64_t n_ = 0;
};

// A file for a test, gone when the test is.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::string& content) {
        path_ = (std::filesystem::temp_directory_path() / "gemma3n-test-XXXXXX").string();
        const int fd = mkstemp(path_.data());
        if (fd >= 0) close(fd);
        std::ofstream(path_, std::ios::binary) << content;
    }
    ~TemporaryFile() { std::remove(path_.c_str()); }
    TemporaryFile(const TemporaryFile&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

inline Result<std::shared_ptr<tokens::Tokenizer>> load_gguf(const std::string& bytes) {
    const TemporaryFile file(bytes);
    auto checkpoint = format::Checkpoint::open(file.path());
    if (!checkpoint) return checkpoint.error();
    return tokens::Tokenizer::load(**checkpoint);
}

struct SmallVocabulary {
    std::vector<std::string> pieces;
    std::vector<bool> added, special;
    std::vector<std::pair<std::string, std::string>> merges;  // by rank
    static constexpr int first_byte = 14;                     // id of <0x00>

    SmallVocabulary() {
        for (const char* p : {"<pad>", "<eos>", "<bos>", "<unk>"}) add(p, true, true);
        add("<mask>", true, false);
        for (const char* p : {"<start_of_turn>", "<end_of_turn>", "<start_of_image>"}) add(p, true, true);
        for (const char* p : {"\n", "\n\n", "▁▁", "▁▁▁", "<b>", "<unused0>"}) add(p, true, false);
        for (int b = 0; b < 256; b++) add(byte_piece(b), false, false);
        for (const char* p : {"▁t", "he", "▁the", "in", "er", "re", "▁there", "aa", "aaa", "é", "▁a", "日本", "mo", "del", "model", "us", "user", "de"}) add(p, false, false);
        for (const char* p : {"▁", "a", "b", "c", "d", "e", "h", "i", "l", "m", "n", "o", "r", "s", "t", "u", "日", "本", "<", ">"}) add(p, false, false);
        for (const char* run : {"▁▁▁", "▁▁"}) add_merges(run);
        for (size_t i = first_byte + 256; i < pieces.size(); i++) add_merges(pieces[i]);
    }

    static std::string byte_piece(int b) {
        char s[8];
        snprintf(s, sizeof s, "<0x%02X>", b);
        return s;
    }
    int id(std::string_view piece) const { return static_cast<int>(std::find(pieces.begin(), pieces.end(), piece) - pieces.begin()); }
    std::vector<int> ids(const std::vector<std::string>& of) const {
        std::vector<int> v;
        for (const auto& p : of) v.push_back(id(p));
        return v;
    }

    std::string json(bool pairs) const {
        const auto quoted = [](const std::string& s) {
            std::string q = "\"";
            for (const char c : s) c == '\n' ? q += "\\n" : q += c;
            q += '"';
            return q;
        };
        std::string added_tokens, vocab, rules;
        for (size_t i = 0; i < pieces.size(); i++) {
            vocab += text("%s%s:%zu", i ? "," : "", quoted(pieces[i]).c_str(), i);
            if (!added[i]) continue;
            added_tokens += text("%s{\"id\":%zu,\"content\":%s,\"special\":%s}", added_tokens.empty() ? "" : ",", i, quoted(pieces[i]).c_str(), special[i] ? "true" : "false");
        }
        for (const auto& [a, b] : merges) {
            if (!rules.empty()) rules += ",";
            rules += pairs ? text("[%s,%s]", quoted(a).c_str(), quoted(b).c_str()) : quoted(a + " " + b);
        }
        return R"({"version":"1.0","added_tokens":[)" + added_tokens + R"(],"normalizer":{"type":"Replace","pattern":{"String":" "},"content":"▁"},)" +
               R"("model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"vocab":{)" + vocab + R"(},"merges":[)" + rules + "]}}";
    }

    GgufKeys gguf_keys() const {
        std::vector<std::string> tokens = pieces;
        std::vector<float> scores(pieces.size(), -1000);
        std::vector<int32_t> types(pieces.size(), 1);
        for (size_t i = 0; i < pieces.size(); i++) {
            if (added[i]) {
                const bool control = (special[i] && pieces[i] != "<start_of_image>") || pieces[i] == "<mask>" || pieces[i] == "<unused0>";
                types[i] = control ? 3 : 4;
                if (pieces[i].starts_with("▁")) tokens[i] = std::string(pieces[i].size() / strlen("▁"), ' ');
            } else if (i < first_byte + 256) {
                types[i] = 6, scores[i] = 0;
            } else {
                scores[i] = -static_cast<float>(i);
            }
        }
        GgufKeys k;
        k.add("general.architecture", std::string("gemma3n"));
        k.add("tokenizer.ggml.model", std::string("llama"));
        k.add("tokenizer.ggml.tokens", tokens);
        k.add("tokenizer.ggml.scores", scores);
        k.add("tokenizer.ggml.token_type", types);
        k.add("tokenizer.ggml.bos_token_id", uint32_t{2});
        k.add("tokenizer.ggml.unknown_token_id", uint32_t{3});
        return k;
    }

    std::shared_ptr<tokens::Tokenizer> load(Spelling s) const {
        auto t = s == Spelling::gguf ? load_gguf(gguf_keys().file()) : tokens::Tokenizer::from_json(json(s == Spelling::merges_as_pairs), "tokenizer.json");
        if (!t) throw std::runtime_error(t.error().message);
        return *t;
    }

private:
    void add(const std::string& p, bool is_added, bool is_special) {
        pieces.push_back(p), added.push_back(is_added), special.push_back(is_special);
    }
    void add_merges(const std::string& p) {  // every way to cut it into two pieces, as the published file has them
        for (size_t cut = p.size() - 1; cut > 0; cut--) {
            const std::string a = p.substr(0, cut), b = p.substr(cut);
            if (id(a) < static_cast<int>(pieces.size()) && id(b) < static_cast<int>(pieces.size())) merges.emplace_back(a, b);
        }
    }
};

}  // namespace gemma3n::test
