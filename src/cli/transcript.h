// What transcribe writes to standard output, as it comes: plain text, JSON, or subtitles.
#pragma once

#include "gemma3n/transcribe.h"

#include <memory>
#include <string>

namespace gemma3n::cli {

// How a file ended.
struct FileEnd {
    double seconds = 0;       // of sound that were read
    double work_s = 0;        // what they took
    bool complete = true;     // false: interrupted, or a part of the recording is missing or damaged
    std::string note;         // which
    const Error* error = nullptr;
};

// Each call is false once standard output cannot be written.
class Transcript {
public:
    virtual ~Transcript() = default;
    virtual bool begin(const std::string& path) = 0;
    virtual bool text(const std::string&) { return true; }  // of the segment that is coming
    virtual bool segment(const Segment& s) = 0;
    virtual bool end(const FileEnd& e) = 0;
    virtual bool finish() { return true; }                  // after the last file, also when the work was interrupted
    virtual bool line_open() const { return false; }        // text stands on the line: nothing else may
};

// `format`: txt, json, srt or vtt; subtitles are of one file.
std::unique_ptr<Transcript> make_transcript(const std::string& format, bool several_files);

}  // namespace gemma3n::cli
