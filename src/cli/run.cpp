// run: one answer, or a chat. A program like any other over the public library: it includes nothing from below.
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/progress.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>
#include <utility>

namespace gemma3n::cli {

namespace {

long long ll(int64_t v) { return static_cast<long long>(v); }

bool is_blank(const std::string& s) { return s.find_first_not_of(" \t\r\n\v\f") == std::string::npos; }

// "e2b: prompt 0 to 510; full: prompt 511, answer 0 to 63": which slice made which tokens.
std::string sizes_text(const std::vector<SizeRun>& sizes) {
    std::string s;
    int64_t prompt = 0, answer = 0;
    const auto span = [](const char* what, int64_t& at, int64_t n) {
        const std::string first = std::to_string(at);
        at += n;
        return n == 0 ? "" : std::string(what) + first + (n > 1 ? " to " + std::to_string(at - 1) : "");
    };
    for (const SizeRun& r : sizes) {
        const std::string p = span("prompt ", prompt, r.prompt_tokens), g = span("answer ", answer, r.generated_tokens);
        if (p.empty() && g.empty()) continue;
        s += (s.empty() ? "" : "; ") + r.size + ": " + p + (p.empty() || g.empty() ? "" : ", ") + g;
    }
    return s;
}

void print_stats(const Answer& a, const ModelInfo& m, uint64_t seed) {
    const Timing& t = a.timing;
    const auto rate = [](int64_t n, double s) { return s > 0 ? static_cast<double>(n) / s : 0.0; };
    fprintf(stderr, "prompt      %lld tokens, %.2f s, %.1f tokens/s\n", ll(t.prompt_tokens), t.prefill_s, rate(t.prompt_tokens, t.prefill_s));
    fprintf(stderr, "answer      %lld tokens, %.2f s, %.1f tokens/s\n", ll(t.generated_tokens), t.decode_s, rate(t.generated_tokens, t.decode_s));
    fprintf(stderr, "first token %.3f s\n", t.prefill_s);
    fprintf(stderr, "sizes       %s\n", sizes_text(a.sizes).c_str());
    fprintf(stderr, "memory      %.3f GB at its peak, file pages included\n", static_cast<double>(t.peak_resident_bytes) / 1e9);
    const std::string rows = m.per_layer_width > 0 ? "; per-layer rows by " + m.per_layer_reading : "";
    fprintf(stderr, "kernels     %s on %s%s; seed %llu\n", m.kernels.c_str(), m.cpu.c_str(), rows.c_str(), static_cast<unsigned long long>(seed));
}

class Runner {
public:
    Runner(const RunOptions& o, std::shared_ptr<Engine> engine, std::unique_ptr<Session> session)
        : o_(o), engine_(std::move(engine)), session_(std::move(session)) {
        seed_ = o.seed ? *o.seed : std::random_device{}();  // of 32 bits: --stats prints it, and --seed takes it back
    }

    int once(const std::string& prompt) {
        const auto a = answer(prompt);
        if (!a) return report(explained(a.error()));
        after(*a, "");
        if (const int code = finish_output(); code != exit_ok) return code;
        return a->finish == Finish::cancelled ? exit_interrupted : exit_ok;
    }

    int chat() {
        fprintf(stderr, "%s. /size NAME changes the size, /clear starts anew, /bye or Ctrl-D ends, Ctrl-C stops an answer.\n", engine_->info().name.c_str());
        Lines lines(STDIN_FILENO);
        for (;;) {
            reset_interrupt();  // before the prompt: a Ctrl-C after it is meant for it
            fprintf(stderr, "> ");
            fflush(stderr);
            std::string line;
            const Line got = lines.next(line);
            if (got != Line::read) {
                fputc('\n', stderr);
                return got == Line::interrupted ? exit_interrupted : exit_ok;  // a terminal that went away ends it as Ctrl-D does
            }
            if (is_blank(line)) continue;
            if (line == "/bye" || line == "/exit" || line == "/quit") return exit_ok;
            if (line == "/clear") {
                session_->clear();
                continue;
            }
            if (line == "/size" || line.starts_with("/size ")) {
                change_size(line.substr(5));
                continue;
            }
            if (line[0] == '/') {
                fprintf(stderr, "gemma3n: '%s' is not a command: there are /size, /clear and /bye\n", line.c_str());
                continue;
            }
            const auto a = answer(line);
            if (!a) {
                Error e = explained(a.error());
                const bool full = e.code == Code::context_full;
                if (full) e.message += "; /clear starts anew";
                const int code = report(e);
                if (!full) return code;
                continue;
            }
            after(*a, "; /clear starts anew");
            if (const int code = finish_output(); code != exit_ok) return code;
        }
    }

private:
    // "/size NAME", or which there are. Where the new size cannot read the conversation's keys and values, it is read again.
    void change_size(std::string name) {
        name.erase(0, name.find_first_not_of(" \t"));
        while (!name.empty() && (name.back() == ' ' || name.back() == '\t' || name.back() == '\r')) name.pop_back();
        if (name.empty()) {
            std::string all;
            for (const SizeInfo& s : engine_->sizes()) all += (all.empty() ? "" : ", ") + s.slice.name;
            fprintf(stderr, "gemma3n: the size is %s; there are %s\n", session_->size().name.c_str(), all.c_str());
            return;
        }
        Progress progress("reading the conversation");
        const SizeOptions how{.release = o_.release, .reprocess = true, .progress = [&](int64_t done, int64_t total) { return progress.at(static_cast<double>(done) / static_cast<double>(total)); }};
        const Status changed = session_->set_size(name, how);
        clear_progress();
        if (!changed) report(changed.error());
        else fprintf(stderr, "gemma3n: the size is %s\n", session_->size().name.c_str());
    }

    // One answer to standard output, as it comes.
    Result<Answer> answer(const std::string& prompt) {
        Progress progress("reading the prompt");
        bool line_open = false;
        GenerateOptions g;
        g.sampling = {o_.temperature, o_.top_k, o_.top_p, o_.min_p, seed_++};
        g.max_tokens = o_.max_tokens;
        g.prefill_size = o_.prefill_size;
        bool releases = o_.release && !o_.prefill_size.empty();  // once the prompt is read
        g.prefill_progress = [&](int64_t done, int64_t total) { return progress.at(static_cast<double>(done) / static_cast<double>(total)); };
        g.on_text = [&](const std::string& text, int) {
            clear_progress();
            if (std::exchange(releases, false)) (void)session_->set_size(session_->size(), {.release = true});
            if (!text.empty()) line_open = text.back() != '\n';
            return write_output(text) && !interrupted();
        };
        auto a = o_.raw ? session_->complete(prompt, g) : session_->chat(prompt, g, session_->n_tokens() == 0 ? o_.system.value_or("") : "");
        if (!a && line_open) write_output("\n");  // the error starts on a line of its own
        return a;
    }

    // Ends the line of an answer and says what the person should know about it.
    void after(const Answer& a, const char* remedy) {
        const bool line_open = a.text.empty() || a.text.back() != '\n';
        if (line_open) write_output("\n");
        else if (a.finish == Finish::cancelled && isatty(STDERR_FILENO)) fputc('\n', stderr);  // the terminal's own ^C stands on the line
        if (a.finish == Finish::context_full) {
            fprintf(stderr, "gemma3n: the context of %lld tokens is full: the answer ends here%s%s\n", ll(session_->context_tokens()), more_room().c_str(), remedy);
        }
        if (o_.stats) print_stats(a, engine_->info(), seed_ - 1);
    }

    std::string more_room() const {
        const int64_t most = engine_->info().context_length;
        return session_->context_tokens() < most && o_.model.memory == 0 ? " (-c gives up to " + std::to_string(most) + ")" : "";
    }

    Error explained(Error e) const {
        if (e.code == Code::context_full) e.message += more_room();
        return e;
    }

    const RunOptions& o_;
    std::shared_ptr<Engine> engine_;
    std::unique_ptr<Session> session_;
    uint64_t seed_;
};

}  // namespace

int run(const RunOptions& o) {
    std::optional<std::string> prompt = o.prompt;
    if (prompt && is_blank(*prompt) && (prompt->empty() || !o.raw)) return usage_error("PROMPT is empty: expected text");
    if (!isatty(STDIN_FILENO)) {
        std::string piped;
        const Line ended = Lines(STDIN_FILENO).rest(piped);
        if (ended == Line::interrupted) return exit_interrupted;
        if (ended == Line::failed) return report({Code::io, std::string("standard input cannot be read: ") + strerror(errno)});
        if (!piped.empty()) prompt = prompt ? *prompt + "\n\n" + piped : piped;
        if (!prompt) return usage_error("standard input is empty and there is no PROMPT: expected text in one of them, or a terminal to chat");
        if (is_blank(*prompt) && !o.raw) return usage_error("standard input holds only white space and there is no PROMPT: expected text");
    }
    auto engine = load(o.model, {.tokens_per_s = o.model.target_tps, .context_tokens = o.context});
    if (!engine) return report(engine.error());
    SessionOptions s;
    s.context_tokens = o.context;
    auto session = (*engine)->new_session(s);
    if (!session) return report(session.error());
    if (!(*engine)->info().chat_template_note.empty()) fprintf(stderr, "gemma3n: %s\n", (*engine)->info().chat_template_note.c_str());
    Runner runner(o, *engine, std::move(*session));
    return prompt ? runner.once(*prompt) : runner.chat();
}

}  // namespace gemma3n::cli
