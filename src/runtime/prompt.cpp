#include "runtime/prompt.h"

#include "tokens/turns.h"

#include <algorithm>

namespace gemma3n::runtime {

namespace {

using Kind = SoftTokens::Kind;

const char* name(Kind k) { return k == Kind::image ? "picture" : "clip"; }

long long ll(int64_t v) { return static_cast<long long>(v); }

// Parts as the tokenizer takes them: a picture is its marks around as many placeholders as it has soft tokens. `media` collects them.
std::vector<tokens::Item> items_of(const std::vector<Part>& parts, const model::MediaIds& ids, std::vector<std::shared_ptr<const SoftTokens>>& media) {
    std::vector<tokens::Item> items;
    for (const Part& p : parts) {
        if (!p.tokens) {
            items.push_back({p.text, {}});
            continue;
        }
        const bool image = p.tokens->kind == Kind::image;
        std::vector<int> marks(static_cast<size_t>(p.tokens->n), image ? ids.image : ids.audio);
        marks.insert(marks.begin(), image ? ids.begin_image : ids.begin_audio);
        marks.push_back(image ? ids.end_image : ids.end_audio);
        items.push_back({image ? "<image_soft_token>" : "<audio_soft_token>", std::move(marks)});
        media.push_back(p.tokens);
    }
    return items;
}

}  // namespace

Result<Prompt> chat_prompt(const tokens::Tokenizer& t, const model::MediaIds& ids, const std::vector<ChatMessage>& messages, bool add_generation_prompt, bool add_bos) {
    Prompt prompt;
    std::vector<tokens::Message> turns;
    for (const ChatMessage& m : messages) {
        if (!m.parts.empty() && m.role != "user") {
            return fail(Code::bad_argument, "a message of role '%s' is made of parts: expected parts in a user's message only", shown(m.role).c_str());
        }
        turns.push_back({m.role, m.content, items_of(m.parts, ids, prompt.media)});
    }
    ASSIGN(prompt.ids, tokens::encode_turns(t, turns, add_generation_prompt, add_bos));
    return prompt;
}

Result<Prompt> text_prompt(const tokens::Tokenizer& t, const model::MediaIds& ids, const std::vector<Part>& parts, bool add_bos) {
    Prompt prompt;
    ASSIGN(prompt.ids, tokens::encode_items(t, items_of(parts, ids, prompt.media), add_bos));
    return prompt;
}

Status join(const Prompt& prompt, const model::MediaIds& ids, int64_t hidden, std::vector<InputRow>& rows) {
    rows.reserve(rows.size() + prompt.ids.size());
    size_t used = 0;
    for (size_t i = 0; i < prompt.ids.size();) {
        const int id = prompt.ids[i];
        const bool placeholder = !prompt.media.empty() && (id == ids.image || id == ids.audio);
        if (!placeholder) {
            rows.push_back({id});
            i++;
            continue;
        }
        size_t end = i;
        while (end < prompt.ids.size() && prompt.ids[end] == id) end++;
        const Kind kind = id == ids.image ? Kind::image : Kind::sound;
        const int64_t n = static_cast<int64_t>(end - i);
        if (used == prompt.media.size()) {
            return fail(Code::bad_argument, "a prompt has %s placeholders at token %zu and no %s is left: expected one for each run", name(kind), i, name(kind));
        }
        const SoftTokens* m = prompt.media[used++].get();
        if (!m || m->hidden != hidden || static_cast<int64_t>(m->values.size()) != m->n * m->hidden) {
            return fail(Code::bad_argument, "the medium %zu of a prompt is not of this model: expected soft tokens of %lld values", used, ll(hidden));
        }
        if (m->kind != kind || m->n != n) {
            return fail(Code::bad_argument, "a prompt has %lld %s placeholders at token %zu: expected %lld %s placeholders, one for each soft token of its medium %zu", ll(n), name(kind), i, ll(m->n),
                        name(m->kind), used);
        }
        for (int64_t r = 0; r < n; r++) rows.push_back({id, m->values.data() + r * hidden});
        i = end;
    }
    if (used < prompt.media.size()) {
        return fail(Code::bad_argument, "a prompt has %zu media and placeholders for %zu of them: expected a run of placeholders for each", prompt.media.size(), used);
    }
    return {};
}

Status complete_rows(std::vector<InputRow>& rows, int64_t vocab, Towers& towers, const Context& context) {
    for (InputRow& r : rows) {
        if (r.embedding) continue;
        if (towers.is_mark(r.id)) {
            ASSIGN(r.embedding, towers.hard(context, r.id));
            r.mark = true;
        } else if (r.id < 0 || r.id >= vocab) {
            return fail(Code::bad_argument, "token id %d: expected 0 to %lld", r.id, ll(std::max(vocab, towers.end_of_marks()) - 1));
        }
    }
    return {};
}

}  // namespace gemma3n::runtime
