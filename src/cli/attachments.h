// Pictures, recordings and videos that a person names, encoded for a question. A program like any other over the public library.
#pragma once

#include "cli/commands.h"
#include "cli/drawing.h"
#include "gemma3n/attach.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gemma3n::cli {

// An option of media that nothing given concerns is a mistake.
Status check_concern(const MediaFlags& flags, bool camera);
AttachOptions attach_options(const MediaFlags& flags);
// What encoding them takes, and keeping what comes of it. `watched` (may be null) goes on arriving while questions are asked.
MemoryNeeds media_needs(const MediaFlags& flags, const MediaFile* watched = nullptr);
std::string in_words(const std::vector<Part>& media);  // "1 picture, 2 clips, 632 tokens"

class Sketch;

class Attachments {
public:
    // With `stats` each encoding's time goes to standard error.
    Attachments(std::shared_ptr<Engine> engine, const MediaFlags& flags, bool stats);
    using Trace = std::function<const EncoderTrace*(SoftTokens::Kind kind, int64_t index)>;  // the index counts all that were attached
    // How many tokens of a prompt that holds these parts are left; without it, those of the model's context.
    using Room = std::function<int64_t(const std::vector<Part>&)>;
    void room(Room room) { room_ = std::move(room); }
    void trace(Trace trace) { trace_ = std::move(trace); }
    void draw(const Canvas& on) { canvas_ = on; }  // each file that was added, on standard error

    // Encodes a file and puts it behind what was attached before; an error changes nothing. What the person should know is said.
    Result<std::string> add(const MediaFile& file);  // what was attached, in words
    void add(const std::vector<Part>& media) { parts_.insert(parts_.end(), media.begin(), media.end()); }
    // The files of the command line, in order. Gives the towers' memory back.
    Status add_flags();

    bool empty() const { return parts_.empty(); }
    void clear() { parts_.clear(), encode_s_ = 0; }
    double encode_s() const { return encode_s_; }  // that the files took, from opening them on
    // All of it with the text behind. They stay until clear().
    std::vector<Part> with(const std::string& text) const;

private:
    Result<Attached> encode(const MediaFile& file, const AttachOptions& options, Sketch* sketch);  // null: nothing is drawn
    int64_t least_tokens(const MediaFile& file) const;  // by what its header says; 0 where that is not known
    void say_times(const MediaFile& file, const Attached& a) const;

    std::shared_ptr<Engine> engine_;
    const MediaFlags& flags_;
    bool stats_;
    Trace trace_;
    Room room_;
    std::optional<Canvas> canvas_;
    std::vector<Part> parts_;
    int64_t n_pictures_ = 0, n_clips_ = 0;  // that trace_ was asked about
    double encode_s_ = 0;
};

}  // namespace gemma3n::cli
