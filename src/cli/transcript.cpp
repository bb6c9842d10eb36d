#include "cli/transcript.h"

#include "cli/json.h"

#include <cmath>

namespace gemma3n::cli {

namespace {

const std::string& wanted(const Segment& s) { return s.translation.empty() ? s.text : s.translation; }

// A line for each segment. Of several files each has its name in front.
class Text : public Transcript {
public:
    explicit Text(bool names) : names_(names) {}
    bool begin(const std::string& path) override { return !names_ || write_output((std::exchange(first_, false) ? "" : "\n") + path + ":\n"); }
    bool text(const std::string& t) override {
        open_ |= !t.empty();
        return write_output(t);
    }
    bool segment(const Segment&) override { return close(); }
    bool end(const FileEnd&) override { return close(); }
    bool line_open() const override { return open_; }

private:
    bool close() { return !std::exchange(open_, false) || write_output("\n"); }
    bool names_, open_ = false, first_ = true;
};

// A list with an object for each file, whole whatever happens on the way.
class JsonList : public Transcript {
public:
    bool begin(const std::string& path) override {
        n_segments_ = 0;
        return write_output(std::string(n_files_++ == 0 ? "[" : ",") + "\n{\"file\": " + json_string(path) + ",\n \"segments\": [");
    }
    bool segment(const Segment& s) override {
        std::string o = std::string(n_segments_++ == 0 ? "" : ",") + "\n  {\"begin\": " + json_number(s.begin_s) + ", \"end\": " + json_number(s.end_s) + ", \"text\": " + json_string(s.text);
        if (!s.translation.empty()) o += ", \"translation\": " + json_string(s.translation);
        return write_output(o + ", \"complete\": " + (s.complete ? "true" : "false") + "}");
    }
    bool end(const FileEnd& e) override {
        return write_output("],\n \"seconds\": " + json_number(e.seconds) + ", \"work_seconds\": " + json_number(e.work_s) + ", \"complete\": " + (e.complete ? "true" : "false") +
                            ", \"note\": " + (e.note.empty() ? "null" : json_string(e.note)) + ", \"error\": " + (e.error ? json_string(e.error->message) : "null") + "}");
    }
    bool finish() override { return write_output(n_files_ == 0 ? "[]\n" : "\n]\n"); }

private:
    int n_files_ = 0, n_segments_ = 0;
};

// Without what would end or break a cue: empty lines, carriage returns, and of WebVTT its marks.
std::string cue_text(const std::string& s, bool vtt) {
    std::string out;
    for (const char c : s) {
        if (c == '\r' || (c == '\n' && out.ends_with('\n'))) continue;
        if (vtt && c == '&') out += "&amp;";
        else if (vtt && c == '<') out += "&lt;";
        else if (vtt && c == '>') out += "&gt;";
        else out += c;
    }
    return out;
}

std::string clock(double seconds, char point) {
    const long long ms = std::llround(seconds * 1000);
    char s[48];
    snprintf(s, sizeof s, "%02lld:%02lld:%02lld%c%03lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, point, ms % 1000);
    return s;
}

// SubRip or WebVTT: a cue for each segment in which something is said.
class Subtitles : public Transcript {
public:
    explicit Subtitles(bool vtt) : vtt_(vtt) {}
    bool begin(const std::string&) override { return !vtt_ || write_output("WEBVTT\n\n"); }
    bool segment(const Segment& s) override {
        if (wanted(s).empty()) return true;
        const char point = vtt_ ? '.' : ',';
        const std::string number = vtt_ ? "" : std::to_string(++n_) + "\n";
        return write_output(number + clock(s.begin_s, point) + " --> " + clock(s.end_s, point) + "\n" + cue_text(wanted(s), vtt_) + "\n\n");
    }
    bool end(const FileEnd&) override { return true; }

private:
    bool vtt_;
    int n_ = 0;
};

}  // namespace

std::unique_ptr<Transcript> make_transcript(const std::string& format, bool several_files) {
    if (format == "json") return std::make_unique<JsonList>();
    if (format == "txt") return std::make_unique<Text>(several_files);
    return std::make_unique<Subtitles>(format == "vtt");
}

}  // namespace gemma3n::cli
