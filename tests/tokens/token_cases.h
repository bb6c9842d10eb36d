// Runs lines of tools/oracle/token_cases.py against a tokenizer: ids of texts in both modes, decoding whole and streamed, turns.
#pragma once

#include "tokens/tokenizer.h"
#include "tokens/turns.h"
#include "base/utf8.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace gemma3n::test {

// The user's cache of models and vocabularies; nothing in it is needed to pass.
inline std::filesystem::path cache_dir() {
    if (const char* cache = getenv("GEMMA3N_CACHE")) return cache;
    const char* home = getenv("HOME");
    return std::filesystem::path(home ? home : ".") / ".cache/gemma3n";
}

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string streamed(const tokens::Tokenizer& t, const std::vector<int>& ids, bool skip_special) {
    tokens::Detokenizer d(t, skip_special);
    std::string s;
    for (const int id : ids) {
        const std::string part = d.add(id);
        EXPECT_TRUE(is_utf8(part)) << "a part that is not UTF-8 by itself";
        s += part;
    }
    return s + d.finish();
}

// Whether every run of byte pieces is UTF-8 as a whole: only then may a stream say the same as the whole.
inline bool runs_are_whole(const tokens::Tokenizer& t, const std::vector<int>& ids, bool skip_special) {
    std::string run;
    for (const int id : ids) {
        if (skip_special && t.is_special(id)) continue;
        if (t.byte_of(id) >= 0) {
            run += static_cast<char>(t.byte_of(id));
        } else {
            if (!is_utf8(run)) return false;
            run.clear();
        }
    }
    return is_utf8(run);
}

class CaseRunner {
public:
    explicit CaseRunner(const tokens::Tokenizer& t) : t_(t) {}

    int n_texts = 0, n_ids = 0, n_turns = 0;
    int n_left_out = 0;  // with ids beyond this vocabulary

    // Stops after a few failures: more of them say no more.
    void run(const std::filesystem::path& path) {
        std::ifstream in(path);
        ASSERT_TRUE(in.is_open()) << path;
        for (std::string line; std::getline(in, line) && n_failed_ < 10;) {
            simdjson::dom::element e;
            ASSERT_FALSE(parser_.parse(line).get(e)) << line.substr(0, 200);
            shown_ = line.substr(0, 400);
            if (e["text"].error() == simdjson::SUCCESS) text(e);
            else if (e["turns"].error() == simdjson::SUCCESS) turns(e);
            else ids(e);
        }
    }

private:
    using Element = simdjson::dom::element;

    template <class T>
    void expect_equal(const T& got, const T& expected, const char* what) {
        if (got == expected) return;
        n_failed_++;
        EXPECT_EQ(got, expected) << what << " of " << shown_;
    }
    static std::vector<int> ids_of(Element array) {
        std::vector<int> v;
        for (const int64_t id : array.get_array()) v.push_back(static_cast<int>(id));
        return v;
    }
    bool all_known(const std::vector<int>& ids) {
        for (const int id : ids)
            if (id >= t_.size()) return n_left_out++, false;
        return true;
    }
    static std::string string_of(Element e) { return std::string(e.get_string().value()); }

    void text(Element e) {
        n_texts++;
        const std::string text = string_of(e["text"]);
        const std::vector<int> plain = ids_of(e["plain"]);
        const std::vector<int> parsed = e["parsed"].error() ? plain : ids_of(e["parsed"]);
        if (!all_known(parsed)) return;
        expect_equal(t_.encode(text, {.parse_special = false}), plain, "plain ids");
        expect_equal(t_.encode(text, {.parse_special = true}), parsed, "parsed ids");
        std::string expected;  // decoding gives the text again, but for marks, which become spaces
        for (std::string_view s = text; !s.empty();) {
            const bool mark = s.starts_with(space_mark);
            expected += mark ? ' ' : s[0];
            s.remove_prefix(mark ? space_mark.size() : 1);
        }
        for (const auto& ids : {plain, parsed}) {
            expect_equal(t_.decode(ids, false), expected, "decoded text");
            expect_equal(streamed(t_, ids, false), expected, "streamed text");
        }
    }

    void ids(Element e) {
        n_ids++;
        const std::vector<int> ids = ids_of(e["ids"]);
        if (!all_known(ids)) return;
        const std::string keep = string_of(e["keep"]), skip = e["skip"].error() ? keep : string_of(e["skip"]);
        expect_equal(t_.decode(ids, false), keep, "decoded text");
        expect_equal(t_.decode(ids, true), skip, "decoded text without special tokens");
        if (runs_are_whole(t_, ids, false)) expect_equal(streamed(t_, ids, false), keep, "streamed text");
        if (runs_are_whole(t_, ids, true)) expect_equal(streamed(t_, ids, true), skip, "streamed text without special tokens");
    }

    void turns(Element e) {
        n_turns++;
        std::vector<tokens::Message> messages;
        for (const Element turn : e["turns"].get_array()) messages.push_back({string_of(turn.at(0)), string_of(turn.at(1))});
        const bool generation = e["generation"].get_bool().value();
        const auto rendered = tokens::render_turns(messages, generation, true);
        const auto encoded = tokens::encode_turns(t_, messages, generation, true);
        if (e["rendered"].is_null()) {
            expect_equal(static_cast<bool>(rendered), false, "refusal to render");
            expect_equal(static_cast<bool>(encoded), false, "refusal to encode");
            return;
        }
        expect_equal(rendered ? *rendered : rendered.error().message, string_of(e["rendered"]), "rendered text");
        if (e["ids"].error() == simdjson::SUCCESS) expect_equal(encoded ? *encoded : std::vector<int>{}, ids_of(e["ids"]), "turn ids");
    }

    const tokens::Tokenizer& t_;
    simdjson::dom::parser parser_;
    std::string shown_;
    int n_failed_ = 0;
};

}  // namespace gemma3n::test
