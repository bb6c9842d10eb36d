// run: one answer, or a chat. A program like any other over the public library: it includes nothing from below.
#include "cli/attachments.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/media_stream.h"
#include "cli/progress.h"
#include "cli/stats.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>
#include <utility>

namespace gemma3n::cli {

namespace {

long long ll(int64_t v) { return static_cast<long long>(v); }

bool is_blank(const std::string& s) { return s.find_first_not_of(" \t\r\n\v\f") == std::string::npos; }

// As a person or a terminal's drag and drop writes it: blanks around it, perhaps in quotes.
std::string attached_path(const std::string& s) {
    const size_t begin = s.find_first_not_of(" \t"), end = s.find_last_not_of(" \t\r");
    if (begin == std::string::npos) return "";
    const std::string path = s.substr(begin, end + 1 - begin);
    const bool quoted = path.size() > 2 && (path[0] == '\'' || path[0] == '"') && path.back() == path[0];
    return quoted ? path.substr(1, path.size() - 2) : path;
}

class Runner {
public:
    Runner(const RunOptions& o, std::shared_ptr<Engine> engine, std::unique_ptr<Session> session)  // `o` must outlive it
        : o_(o), engine_(std::move(engine)), session_(std::move(session)), attachments_(engine_, o.media, o.stats == "full") {
        if (o.media.draw.value_or(!o.prompt && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))) attachments_.draw(canvas_of_errors());
        attachments_.room([this](const std::vector<Part>& parts) { return room(parts); });
        seed_ = o.seed ? *o.seed : std::random_device{}();  // of 32 bits: --stats prints it, and --seed takes it back
    }

    // The limit leaves no room for files in a chat, and why.
    void refuse_attachments(std::string why) { no_attachments_ = std::move(why); }

    // Opens what arrives while questions are asked.
    Status watch(const MediaFile& file) {
        auto stream = MediaStream::open(engine_, file, o_.media);
        if (!stream) return in_file(stream.error(), file.path);
        stream_ = std::move(*stream);
        return {};
    }

    int once(const std::string& prompt) {
        prompt_ = prompt;
        if (const Status s = attachments_.add_flags(); !s) return report(explained(s.error()));
        if (stream_) {
            if (const Status s = stream_->wait(); !s) return report(s.error());
        }
        const auto a = answer(prompt);
        if (!a) return report(explained(a.error()));
        after(*a, "");
        if (const int code = finish_output(); code != exit_ok) return code;
        return a->finish == Finish::cancelled ? exit_interrupted : exit_ok;
    }

    // Questions come from `input`.
    int chat(int input) {
        if (const Status s = attachments_.add_flags(); !s) return report(explained(s.error()));
        const ModelInfo& m = engine_->info();
        const bool attaches = no_attachments_.empty() && (m.vision || m.audio);
        fprintf(stderr, "%s. %s/size NAME changes the size, /clear starts anew, /bye or Ctrl-D ends, Ctrl-C stops an answer.\n", m.name.c_str(), attaches ? "/image, /audio and /video PATH attach a file, " : "");
        if (!no_attachments_.empty()) say("the limit leaves no room for pictures and sound in this chat: " + no_attachments_);
        Lines lines(input);
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
                attachments_.clear();
                continue;
            }
            if (line == "/size" || line.starts_with("/size ")) {
                change_size(line.substr(5));
                continue;
            }
            if (line[0] == '/') {
                attach(line);
                continue;
            }
            const auto a = answer(line);
            if (!a) {
                Error e = explained(a.error());
                const bool full = e.code == Code::context_full || e.code == Code::over_budget;
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
    // What a turn of these parts, and of the text as far as it is known, leaves of the context.
    int64_t room(std::vector<Part> parts) const {
        parts.push_back({prompt_, nullptr});
        const auto turn = o_.raw ? engine_->text_prompt(parts) : engine_->chat_prompt({{"user", "", parts}}, true);
        return session_->context_tokens() - session_->n_tokens() - (turn ? static_cast<int64_t>(turn->ids.size()) : 0);
    }

    // "/image PATH" and the like: for the next message. An error is said, and what was attached before stays.
    void attach(const std::string& line) {
        const size_t space = std::min(line.find(' '), line.size());
        const std::string word = line.substr(0, space);
        const std::string path = attached_path(line.substr(space));
        MediaFile file{MediaFile::Kind::image, path};
        if (word == "/audio") file.kind = MediaFile::Kind::sound;
        else if (word == "/video") file.kind = MediaFile::Kind::video;
        else if (word != "/image") {
            fprintf(stderr, "gemma3n: '%s' is not a command: there are /image PATH, /audio PATH, /video PATH, /size, /clear and /bye\n", line.c_str());
            return;
        }
        if (path.empty() || path == "-") {
            fprintf(stderr, "gemma3n: %s needs the path of a file\n", word.c_str());
            return;
        }
        if (!no_attachments_.empty()) {
            report({Code::over_budget, path + ": was not planned for: " + no_attachments_});
            return;
        }
        const auto added = attachments_.add(file);
        if (!stream_) engine_->release_towers();
        if (!added) report(explained(added.error()));
        else fprintf(stderr, "%s: %s, for your next message\n", path.c_str(), added->c_str());
    }

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
        if (stream_) take_stream();
        const std::vector<Part> parts = attachments_.with(prompt);
        const int64_t before = session_->n_tokens();
        encode_s_ = attachments_.encode_s();
        auto a = o_.raw ? session_->complete(parts, g) : session_->chat(parts, g, session_->n_tokens() == 0 ? o_.system.value_or("") : "");
        if (session_->n_tokens() > before) attachments_.clear();  // the model has seen them
        if (stream_) stream_->resume();
        if (!a && line_open) write_output("\n");  // the error starts on a line of its own
        return a;
    }

    // What came since the last question goes with this one.
    void take_stream() {
        const std::vector<Part> parts = stream_->take();
        if (const std::string news = stream_->news(); !news.empty()) say(news);
        if (!parts.empty()) fprintf(stderr, "[%s]\n", in_words(parts).c_str());
        attachments_.add(parts);
    }

    // Ends the line of an answer and says what the person should know about it.
    void after(const Answer& a, const char* remedy) {
        const bool line_open = a.text.empty() || a.text.back() != '\n';
        if (line_open) write_output("\n");
        else if (a.finish == Finish::cancelled && isatty(STDERR_FILENO)) fputc('\n', stderr);  // the terminal's own ^C stands on the line
        if (a.finish == Finish::context_full) {
            fprintf(stderr, "gemma3n: the context of %lld tokens is full: the answer ends here%s%s\n", ll(session_->context_tokens()), more_room().c_str(), remedy);
        }
        if (o_.stats == "full") print_stats(a, engine_->info(), seed_ - 1);
        else if (o_.stats == "short") print_short_stats(a, encode_s_);
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
    Attachments attachments_;
    std::unique_ptr<MediaStream> stream_;
    std::string prompt_;  // of once()
    std::string no_attachments_;
    uint64_t seed_;
    double encode_s_ = 0;  // of what the question held
};

// Where questions come from while standard input brings sound or a video: the terminal itself.
Result<int> terminal_input() {
    const int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Error{Code::bad_argument, "standard input is what the model sees or hears, and there is no terminal to ask questions in: give PROMPT"};
    return fd;
}

}  // namespace

int run(const RunOptions& given) {
    RunOptions o = given;
    std::optional<std::string>& prompt = o.prompt;
    if (const Status s = check_target(o.model); !s) return report(s.error());
    const bool media = !o.media.files.empty() || !o.camera.empty();
    if (prompt && is_blank(*prompt) && (prompt->empty() || !o.raw) && !media) return usage_error("PROMPT is empty: expected text");
    const auto from_input = std::find_if(o.media.files.begin(), o.media.files.end(), [](const MediaFile& f) { return f.path == "-"; });
    const bool reads_input = from_input != o.media.files.end();
    if (reads_input && std::any_of(from_input + 1, o.media.files.end(), [](const MediaFile& f) { return f.path == "-"; })) {
        return usage_error("'-' is given more than once: standard input can be read once");
    }
    if (!isatty(STDIN_FILENO) && !reads_input) {
        std::string piped;
        const Line ended = Lines(STDIN_FILENO).rest(piped);
        if (ended == Line::interrupted) return exit_interrupted;
        if (ended == Line::failed) return report({Code::io, std::string("standard input cannot be read: ") + strerror(errno)});
        if (!piped.empty()) prompt = prompt ? *prompt + "\n\n" + piped : piped;
        if (!prompt) return usage_error("standard input is empty and there is no PROMPT: expected text in one of them, or a terminal to chat");
        if (is_blank(*prompt) && !o.raw && !media) return usage_error("standard input holds only white space and there is no PROMPT: expected text");
    }
    // With a PROMPT standard input is read to its end like any file; in a chat it goes on while questions are asked.
    std::optional<MediaFile> watched;
    if (!o.camera.empty()) watched = MediaFile{MediaFile::Kind::video, o.camera};
    int questions = STDIN_FILENO;
    if (reads_input && !prompt) {
        if (watched) return usage_error("--camera and '-' in a chat: expected one of them");
        const auto terminal = terminal_input();
        if (!terminal) return report(terminal.error());
        questions = *terminal;
        watched = *from_input;
        o.media.files.erase(from_input);
    }
    if (prompt) {  // in a chat there may be files to come
        if (const Status s = check_concern(o.media, !o.camera.empty()); !s) return report(s.error());
    }
    MemoryNeeds needs;
    if (o.model.memory > 0) needs = media_needs(o.media, watched ? &*watched : nullptr);  // opens each recording
    needs.prefill_size = o.prefill_size;
    needs.tokens_per_s = o.model.target_tps;
    needs.context_tokens = o.context;
    needs.attachments = !prompt;  // a chat may be given files
    MemoryPlan plan;
    auto engine = load(o.model, needs, &plan);
    if (!engine) return report(engine.error());
    SessionOptions s;
    s.context_tokens = o.context;
    if (o.model.memory > 0) {  // so that the session leaves room for what else was planned
        s.context_tokens = plan.context_tokens;
        s.chunk_tokens = plan.chunk_tokens;
    }
    auto session = (*engine)->new_session(s);
    if (!session) return report(session.error());
    if (!(*engine)->info().chat_template_note.empty()) fprintf(stderr, "gemma3n: %s\n", (*engine)->info().chat_template_note.c_str());
    Runner runner(o, *engine, std::move(*session));
    runner.refuse_attachments(plan.no_attachments);
    if (watched) {
        if (const Status opened = runner.watch(*watched); !opened) return report(opened.error());
    }
    return prompt ? runner.once(*prompt) : runner.chat(questions);
}

}  // namespace gemma3n::cli
