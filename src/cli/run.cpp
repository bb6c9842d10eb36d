// run: one answer, or a chat.
#include "base/cpu.h"
#include "cli/commands.h"
#include "cli/progress.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <random>

namespace gemma3n::cli {

namespace {

// All of standard input; false when it could not be read.
bool read_all(std::string& out) {
    char buffer[65536];
    for (;;) {
        const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n == 0) return true;
        if (n < 0) return false;
        out.append(buffer, static_cast<size_t>(n));
    }
}

// A line of standard input without its newline. end: no more lines; interrupted: Ctrl-C at the prompt.
enum class Line { read, end, interrupted };
Line read_line(std::string& line) {
    static std::string pending;
    for (;;) {
        if (const size_t newline = pending.find('\n'); newline != std::string::npos) {
            line = pending.substr(0, newline);
            pending.erase(0, newline + 1);
            return Line::read;
        }
        char buffer[4096];
        const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n > 0) {
            pending.append(buffer, static_cast<size_t>(n));
        } else if (n < 0 && errno == EINTR) {
            return Line::interrupted;
        } else {
            line = std::exchange(pending, "");
            return line.empty() ? Line::end : Line::read;
        }
    }
}

void print_stats(const Answer& a, const Engine& engine, uint64_t seed) {
    const Timing& t = a.timing;
    const auto rate = [](int64_t n, double s) { return s > 0 ? static_cast<double>(n) / s : 0.0; };
    fprintf(stderr, "prompt      %lld tokens, %.2f s, %.1f tokens/s\n", static_cast<long long>(t.prompt_tokens), t.prefill_s, rate(t.prompt_tokens, t.prefill_s));
    fprintf(stderr, "answer      %lld tokens, %.2f s, %.1f tokens/s\n", static_cast<long long>(t.generated_tokens), t.decode_s, rate(t.generated_tokens, t.decode_s));
    fprintf(stderr, "first token %.3f s\n", t.prefill_s);
    fprintf(stderr, "memory      %.3f GB at its peak, file pages included\n", static_cast<double>(peak_resident_bytes()) / 1e9);
    fprintf(stderr, "kernels     %s on %s; per-layer rows by %s; seed %llu\n", engine.info().kernels.c_str(), cpu_name().c_str(),
            engine.info().per_layer_reading.c_str(), static_cast<unsigned long long>(seed));
}

class Runner {
public:
    Runner(const RunOptions& o, std::shared_ptr<Engine> engine, std::unique_ptr<Session> session)
        : o_(o), engine_(std::move(engine)), session_(std::move(session)) {
        seed_ = o.seed ? *o.seed : std::random_device{}() | static_cast<uint64_t>(std::random_device{}()) << 32;
    }

    // One answer to standard output.
    Result<Answer> answer(const std::string& prompt) {
        Progress progress("reading the prompt");
        GenerateOptions g;
        g.sampling = {o_.temperature, o_.top_k, o_.top_p, o_.min_p, seed_++};
        g.max_tokens = o_.max_tokens;
        g.prefill_progress = [&](int64_t done, int64_t total) { return progress.at(static_cast<double>(done) / static_cast<double>(total)); };
        g.on_text = [&](const std::string& text, int) {
            clear_progress();
            fwrite(text.data(), 1, text.size(), stdout);
            fflush(stdout);
            return !interrupted() && !ferror(stdout);
        };
        if (o_.raw) return session_->complete(prompt, g);
        return session_->chat(prompt, g, session_->n_tokens() == 0 ? o_.system : "");
    }

    // Ends the line of an answer and says what the person should know about it.
    void after(const Answer& a) {
        if (a.text.empty() || a.text.back() != '\n') fputc('\n', stdout);
        fflush(stdout);
        if (a.finish == Finish::context_full) {
            fprintf(stderr, "gemma3n: the context is full: %lld tokens; the answer ends here (-c sets the size)\n", static_cast<long long>(session_->context_tokens()));
        }
        if (o_.stats) print_stats(a, *engine_, seed_ - 1);
    }

    int once(const std::string& prompt) {
        auto a = answer(prompt);
        if (!a) {
            fflush(stdout);
            return report(a.error());
        }
        after(*a);
        return a->finish == Finish::cancelled ? exit_interrupted : exit_ok;
    }

    int chat() {
        fprintf(stderr, "%s. /clear starts anew, /bye or Ctrl-D ends, Ctrl-C stops an answer.\n", engine_->info().name.c_str());
        for (;;) {
            fprintf(stderr, "> ");
            fflush(stderr);
            std::string line;
            reset_interrupt();
            const Line got = read_line(line);
            if (got != Line::read) {
                fputc('\n', stderr);
                return got == Line::interrupted ? exit_interrupted : exit_ok;
            }
            if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
            if (line == "/bye" || line == "/exit" || line == "/quit") return exit_ok;
            if (line == "/clear") {
                session_->clear();
                continue;
            }
            if (line[0] == '/') {
                fprintf(stderr, "gemma3n: '%s' is not a command: there are /clear and /bye\n", line.c_str());
                continue;
            }
            auto a = answer(line);
            if (!a) {
                const int code = report(a.error());
                if (a.error().code != Code::context_full) return code;
                fprintf(stderr, "gemma3n: /clear starts a new conversation\n");
                continue;
            }
            after(*a);
        }
    }

private:
    const RunOptions& o_;
    std::shared_ptr<Engine> engine_;
    std::unique_ptr<Session> session_;
    uint64_t seed_;
};

}  // namespace

int run(const RunOptions& o) {
    std::optional<std::string> prompt = o.prompt;
    if (!isatty(STDIN_FILENO)) {
        std::string piped;
        if (!read_all(piped)) return interrupted() ? exit_interrupted : report({Code::io, "standard input cannot be read"});
        if (!piped.empty()) prompt = prompt ? *prompt + "\n\n" + piped : piped;
        if (!prompt) return usage_error("no prompt: give PROMPT, or text on standard input, or run in a terminal to chat");
    }
    if (prompt && prompt->empty()) return usage_error("the prompt is empty: expected text");
    auto engine = load(o.model);
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
