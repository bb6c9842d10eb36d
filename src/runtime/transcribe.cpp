#include "gemma3n/transcribe.h"

#include "base/result.h"
#include "runtime/engine_impl.h"

#include <algorithm>

namespace gemma3n {

namespace {

using Shared = std::shared_ptr<const SoftTokens>;

std::string trimmed(const std::string& s) {
    const size_t begin = s.find_first_not_of(" \t\r\n"), end = s.find_last_not_of(" \t\r\n");
    return begin == std::string::npos ? "" : s.substr(begin, end + 1 - begin);
}

std::string instruction_of(const TranscribeOptions& o) {
    if (!o.instruction.empty()) return o.instruction;
    return "Transcribe the following speech segment in " + (o.language.empty() ? std::string("its original language") : o.language) + ":";
}

using OnText = std::function<bool(const std::string&)>;

// Hands text on without white space in front of it, and without that after it until more comes.
class Trimming {
public:
    explicit Trimming(OnText to) : to_(std::move(to)) {}
    bool operator()(const std::string& text) {
        held_ += text;
        const size_t begin = begun_ ? 0 : held_.find_first_not_of(" \t\r\n"), end = held_.find_last_not_of(" \t\r\n");
        if (!to_) return true;
        if (begin == std::string::npos || end == std::string::npos) return to_("");
        const std::string certain = held_.substr(begin, end + 1 - begin);
        held_.erase(0, end + 1);
        begun_ = true;
        return to_(certain);
    }

private:
    OnText to_;
    std::string held_;
    bool begun_ = false;
};

}  // namespace

struct Transcriber::Impl {
    std::shared_ptr<Engine> engine;
    TranscribeOptions options;
    std::string instruction;
    std::unique_ptr<ClipStream> clips;
    std::unique_ptr<Session> session;  // has read the coming clip's tokens up to n_read, without what closes the clip
    int64_t n_read = 0;

    ClipStream::OnClip to_text(const SegmentEvents& events) {
        return [this, &events](Medium clip) -> Status {
            ASSIGN(const Prompt rest, read(clip.part.tokens));
            const std::unique_ptr<Session> s = std::move(session);
            ASSIGN(const Segment segment, answer(*s, rest, clip.begin_s, clip.end_s, events.on_text));
            if (events.on_segment && !events.on_segment(segment)) return fail(Code::cancelled, "transcribing was cancelled");
            return {};
        };
    }

    GenerateOptions greedy(const OnText& on_text, Trimming& trimming) const {
        GenerateOptions g;
        g.sampling.temperature = 0;
        g.max_tokens = options.max_tokens;
        g.prefill_progress = [&on_text](int64_t, int64_t) { return !on_text || on_text(""); };
        g.on_text = [&trimming](const std::string& text, int) { return trimming(text); };
        return g;
    }

    // The answer to a turn that has been read but for `rest`; then the translation.
    Result<Segment> answer(Session& s, const Prompt& rest, double begin_s, double end_s, const OnText& on_text) {
        const bool translate = !options.translate_to.empty();
        Segment segment{begin_s, end_s, "", "", true};
        Trimming first(translate && on_text ? [&](const std::string&) { return on_text(""); } : on_text);
        ASSIGN(const Answer a, s.generate(rest, greedy(on_text, first)));
        segment.text = trimmed(a.text);
        segment.complete = a.finish == Finish::eos;
        if (!translate || a.finish == Finish::cancelled) return segment;
        s.impl().turn_open = true;  // as chat() leaves it
        Trimming second(on_text);
        ASSIGN(const Answer b, s.chat("Translate it into " + options.translate_to + ":", greedy(on_text, second)));
        segment.translation = trimmed(b.text);
        segment.complete &= b.finish == Finish::eos;
        return segment;
    }

    // A prompt of the clip in three: up to its first token, the tokens, the rest.
    struct Split {
        Prompt before, after;
    };
    Result<Split> split(const Shared& tokens) {
        ASSIGN(const Prompt p, engine->chat_prompt({{"user", "", {{instruction, nullptr}, {"", tokens}}}}, true));
        const auto first = std::find(p.ids.begin(), p.ids.end(), engine->info().sound_placeholder);
        return Split{{{p.ids.begin(), first}, {}}, {{first + tokens->n, p.ids.end()}, {}}};
    }

    // Room for a clip's prompt and its text, and as much again for a translation; no more than the model has.
    int64_t context_of(int64_t n_prompt) const {
        const int64_t most = engine->info().context_length, turns = options.translate_to.empty() ? 1 : 2;
        return std::min(most, turns * (std::min(n_prompt, most) + std::min(options.max_tokens, most)));
    }

    // Brings the session up to all of `tokens`.
    Result<Prompt> read(const Shared& tokens) {
        ASSIGN(const Split parts, split(tokens));
        if (!session) {
            const int64_t n_prompt = static_cast<int64_t>(parts.before.ids.size() + parts.after.ids.size()) + std::max(tokens->n, engine->info().clip_tokens);
            ASSIGN(session, engine->new_session({.context_tokens = context_of(n_prompt)}));
            n_read = 0;
            TRY(append(parts.before));
        }
        if (const int64_t n = tokens->n - n_read; n > 0) {
            const auto begin = tokens->values.begin() + n_read * tokens->hidden;
            const Shared added = std::make_shared<SoftTokens>(SoftTokens{tokens->kind, n, tokens->hidden, {begin, tokens->values.end()}});
            TRY(append({std::vector<int>(static_cast<size_t>(n), engine->info().sound_placeholder), {added}}));
            n_read = tokens->n;
        }
        return parts.after;
    }

    Status append(const Prompt& p) {
        ASSIGN([[maybe_unused]] const auto logits, session->append(p));
        return {};
    }
};

Transcriber::Transcriber() : impl_(std::make_unique<Impl>()) {}
Transcriber::~Transcriber() = default;

Result<std::unique_ptr<Transcriber>> Transcriber::open(std::shared_ptr<Engine> engine, const TranscribeOptions& options) {
    std::unique_ptr<Transcriber> t(new Transcriber);
    Impl& i = *t->impl_;
    ASSIGN(i.clips, ClipStream::open(engine, options.sound));
    TRY([&]() -> Status {
        ASSIGN([[maybe_unused]] const auto tokenizer, engine->impl().need_tokenizer());
        return {};
    }());
    i.options = options;
    i.instruction = instruction_of(options);
    i.engine = std::move(engine);
    // before any sound is encoded: the shortest clip must leave room for a token of text
    const ModelInfo& m = i.engine->info();
    const Shared least = std::make_shared<SoftTokens>(SoftTokens{SoftTokens::Kind::sound, options.sound.fixed ? m.clip_tokens : 1, m.hidden, {}});
    ASSIGN(const auto parts, i.split(least));
    const int64_t n = static_cast<int64_t>(parts.before.ids.size() + parts.after.ids.size()) + least->n;
    if (n >= m.context_length) return fail(Code::context_full, "a clip and what is asked of it take at least %lld tokens: the context has room for %lld", static_cast<long long>(n), static_cast<long long>(m.context_length));
    return t;
}

Status Transcriber::push(std::span<const float> samples, const SegmentEvents& events) { return impl_->clips->push(samples, impl_->to_text(events)); }

Status Transcriber::finish(const SegmentEvents& events) {
    const Status s = impl_->clips->finish(impl_->to_text(events));
    const Status cleared = clear();
    return s ? cleared : s;
}

Status Transcriber::clear() {
    impl_->session.reset();
    return impl_->clips->clear();
}

Result<std::string> Transcriber::partial(const SegmentEvents& events) {
    Impl& i = *impl_;
    return within_memory(i.engine->impl(), [&]() -> Result<std::string> {
        const Shared tokens = i.clips->so_far();
        if (!tokens) return std::string();
        ASSIGN(const Prompt rest, i.read(tokens));
        ASSIGN(const auto s, i.session->fork());
        ASSIGN(const Segment segment, i.answer(*s, rest, 0, 0, events.on_text));
        return segment.translation.empty() ? segment.text : segment.translation;
    });
}

double Transcriber::seconds() const { return impl_->clips->seconds(); }

}  // namespace gemma3n
