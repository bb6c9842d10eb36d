// transcribe: recordings of any length to text, and sound that is still arriving.
#include "gemma3n/transcribe.h"

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/sound_queue.h"
#include "cli/transcript.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace gemma3n::cli {

namespace {

constexpr int64_t read_at_once = 10 * sound_rate;
constexpr int64_t clip_and_turn = 256;  // tokens: Gemma 3n's clip of 188, and the turn around it

// Before a model is open, so by bytes: no text has more tokens. What is not certain yet is answered on a second session (--live).
MemoryNeeds needs_of(const TranscribeCommand& o) {
    const int64_t instruction = static_cast<int64_t>(std::max(o.prompt.size(), 80 + o.language.size()));
    const int64_t tokens = clip_and_turn + instruction + std::min(o.max_tokens, int64_t{1} << 32);
    return {.context_tokens = tokens * (o.translate_to.empty() ? 1 : 2) * (o.live ? 2 : 1), .sound = true, .clips = 1, .decoder_bytes = media_support().containers ? sound_decoder_bytes : 0};
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// One line of what is not certain yet: in a terminal it is written over, elsewhere each has its own.
void say_partial(double seconds, double speed, const std::string& text) {
    std::string line = text;
    std::replace(line.begin(), line.end(), '\n', ' ');
    char head[64];
    snprintf(head, sizeof head, "[%.1f s, %.2f of real time] ", seconds, speed);
    if (!isatty(STDERR_FILENO)) {
        fprintf(stderr, "%s%s\n", head, line.c_str());
        return;
    }
    constexpr size_t width = 79;
    size_t cut = line.size() - std::min(line.size(), width - strlen(head));
    while (cut < line.size() && (line[cut] & 0xC0) == 0x80) cut++;  // whole characters
    progress_line(head + line.substr(cut));
}

class Work {
public:
    Work(const TranscribeCommand& o, Transcriber& transcriber, Transcript& out) : o_(o), transcriber_(transcriber), out_(out) {}

private:
    template <class F>
    auto worked(F&& f) {
        const double start = now();
        auto result = f();
        work_s_ += now() - start;
        return result;
    }

    bool written(bool good) {
        lost_ |= !good;
        return good;
    }
    static Error lost_error() { return {Code::io, "standard output cannot be written"}; }

    SegmentEvents events() {
        return {[this](const std::string& text) {
                    if (!text.empty()) clear_progress();
                    return written(out_.text(text)) && !interrupted();
                },
                [this](const Segment& s) {
                    clear_progress();
                    if (!written(out_.segment(s))) return false;
                    if (!s.complete && !interrupted()) {
                        fprintf(stderr, "gemma3n: %s: the text of %.1f to %.1f s is cut after %lld tokens (-n gives more)\n", name_.c_str(), s.begin_s, s.end_s, static_cast<long long>(o_.max_tokens));
                    }
                    return !interrupted();
                }};
    }

    // A file that is there, or a pipe that is read to its end.
    Status recording(const std::string& path, std::string& note) {
        auto reader = SoundReader::open(path, [] { return !interrupted(); });
        if (!reader) return reader.error();
        const auto step = o_.live ? static_cast<int64_t>(o_.every * static_cast<double>(sound_rate)) : read_at_once;
        std::vector<float> samples;
        for (bool more = true; more;) {
            samples.clear();
            while (more && static_cast<int64_t>(samples.size()) < step) {
                const auto read = (*reader)->read(step - static_cast<int64_t>(samples.size()), samples);
                if (!read) return read.error();
                more = *read;
            }
            if (const Status s = take(samples, more, false); !s) return s;
            progress((*reader)->duration());
        }
        note = (*reader)->note();
        return {};
    }

    Status arriving(const std::string& path, std::string& note) {
        auto queue = SoundQueue::open(path, [] { return !interrupted(); });
        if (!queue) return queue.error();
        const auto step = static_cast<size_t>(o_.every * static_cast<double>(sound_rate));
        std::vector<float> samples;
        for (bool more = true; more;) {
            samples.clear();
            const auto came = (*queue)->take(step, samples);
            if (!came) return came.error();
            more = *came;
            if (interrupted()) return Error{Code::cancelled, "interrupted"};
            if (const Status s = take(samples, more, (*queue)->waiting() >= step); !s) return s;
        }
        note = (*queue)->note();
        return {};
    }

    // `behind`: so much waits that a look at what is not certain would only cost time.
    Status take(const std::vector<float>& samples, bool more, bool behind) {
        if (const Status s = worked([&] { return transcriber_.push(samples, events()); }); !s) return s;
        if (interrupted()) return Error{Code::cancelled, "interrupted"};
        if (!o_.live || !more || behind) return {};
        const auto text = worked([&] { return transcriber_.partial({[](const std::string&) { return !interrupted(); }, {}}); });
        if (!text) return text.error();
        if (!text->empty()) say_partial(transcriber_.seconds(), work_s_ / transcriber_.seconds(), *text);
        return {};
    }

    void progress(double duration) {
        if (o_.live || (out_.line_open() && isatty(STDOUT_FILENO))) return;
        char line[96];
        const double s = transcriber_.seconds();
        if (duration > 0) snprintf(line, sizeof line, ": %.0f %%, %.2f of real time", 100 * std::min(s / duration, 1.0), work_s_ / s);
        else snprintf(line, sizeof line, ": %.0f s, %.2f of real time", s, work_s_ / s);
        progress_line("transcribing " + name_ + line);
    }

public:
    // One file; an error is part of what is written.
    Status file(const std::string& path) {
        name_ = shown_name(path);
        work_s_ = 0;
        if (!written(out_.begin(path))) return lost_error();
        const double start = transcriber_.seconds();
        std::string note;
        Status s = o_.live && !std::filesystem::is_regular_file(path) ? arriving(path, note) : recording(path, note);
        const double seconds = transcriber_.seconds() - start;
        if (s) s = worked([&] { return transcriber_.finish(events()); });
        else (void)transcriber_.clear();  // the next file begins anew
        clear_progress();
        if (lost_) return lost_error();
        if (s && seconds <= 0) s = Error{Code::bad_file, "a recording without a single sample: expected sound"};
        const bool stopped = !s && s.error().code == Code::cancelled;
        if (!s && !stopped) s = in_file(s.error(), path);
        if (!out_.end({seconds, work_s_, s && note.empty(), note, s || stopped ? nullptr : &s.error()})) return lost_error();
        if (!note.empty()) fprintf(stderr, "gemma3n: %s\n", note.c_str());
        if (seconds > 0) fprintf(stderr, "%s: %.1f s of sound in %.1f s: %.2f of real time\n", name_.c_str(), seconds, work_s_, work_s_ / seconds);
        return s;
    }

private:
    const TranscribeCommand& o_;
    Transcriber& transcriber_;
    Transcript& out_;
    std::string name_;
    double work_s_ = 0;
    bool lost_ = false;  // standard output
};

}  // namespace

int transcribe(const TranscribeCommand& o) {
    const bool several = o.files.size() > 1;
    if (several && (o.format == "srt" || o.format == "vtt")) return usage_error("--format " + o.format + " is of one FILE: expected one, or --format json");
    if (several && o.live) return usage_error("--live takes one FILE");
    if (std::count(o.files.begin(), o.files.end(), "-") > 1) return usage_error("'-' is given more than once: standard input can be read once");
    auto engine = load(o.model, needs_of(o));
    if (!engine) return report(engine.error());
    TranscribeOptions t;
    t.language = o.language;
    t.translate_to = o.translate_to;
    t.instruction = o.prompt;
    t.sound.fixed = o.audio_tokens == "fixed";
    t.max_tokens = o.max_tokens;
    auto transcriber = Transcriber::open(*engine, t);
    if (!transcriber) return report(transcriber.error());
    const auto out = make_transcript(o.format, several);
    Work work(o, **transcriber, *out);
    size_t n_failed = 0;
    int code = exit_ok;
    for (const std::string& f : o.files) {
        const Status s = work.file(f);
        if (s) continue;
        if (finish_output() != exit_ok) return exit_error;
        code = report(s.error());
        if (code == exit_interrupted) break;
        n_failed++;
    }
    out->finish();
    if (code == exit_interrupted) return code;
    if (several && n_failed > 0) fprintf(stderr, "gemma3n: %zu of %zu files could not be transcribed\n", n_failed, o.files.size());
    const int output = finish_output();
    return n_failed > 0 ? exit_error : output;
}

}  // namespace gemma3n::cli
