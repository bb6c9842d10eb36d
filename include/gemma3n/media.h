// Pictures, sound and video: what the model's towers read, and how to get it from files, pipes and memory.
//
// Everything here checks sizes before it decodes; a broken, empty, hostile or unsupported file is an Error that names it. Decoders are
// libjpeg-turbo, libpng, libwebp and FFmpeg where the library was built with them; media_support() says which.
#pragma once

#include "gemma3n/result.h"
#include "gemma3n/status.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gemma3n {

inline constexpr int64_t sound_rate = 16000;  // samples per second of every Sound
inline constexpr int64_t max_image_side = 65535, max_image_pixels = 100'000'000;  // of pictures and frames; larger ones are refused before they are decoded

// RGB, 8 bit, row-major, upright (the file's EXIF orientation is applied), alpha dropped as the reference's loader drops it.
struct Image {
    int64_t width = 0, height = 0;
    std::vector<uint8_t> rgb;  // [height, width, 3]
};

// Mono, 16 kHz, [-1, 1] (the resampler may overshoot a little).
struct Sound {
    std::vector<float> samples;
    std::string note;  // empty, or a sentence about what is missing: "speech.wav: ends 512 bytes before its header says"
    double seconds() const { return static_cast<double>(samples.size()) / static_cast<double>(sound_rate); }
};

struct MediaSupport {
    bool jpeg = false, png = false, webp = false;
    bool containers = false;  // FFmpeg: sound other than WAV, and video
};
MediaSupport media_support();
// Bytes that FFmpeg comes to hold, of a program under a limit (MemoryNeeds::decoder_bytes): for sound other than WAV, and for a video of
// 1280 x 720. WAV and pictures take none to speak of.
inline constexpr uint64_t sound_decoder_bytes = 16'000'000, video_decoder_bytes = 44'000'000;

enum class MediaKind { image, sound, video };

// ---- pictures ----------------------------------------------------------------------------------------------------------------
// JPEG, PNG or WebP, told apart by content. `name` is for sentences.
Result<Image> decode_image(std::span<const std::byte> bytes, const std::string& name);
Result<Image> read_image(const std::string& path);
// Stretched to side x side as Pillow's bilinear filter does it, bit for bit. Not cropped, not letter-boxed.
Result<Image> resized(const Image& image, int64_t side);

// ---- sound -------------------------------------------------------------------------------------------------------------------
// Asked about every 50 ms while a pipe or a device gives nothing; false ends the wait with Code::cancelled.
using Waiting = std::function<bool()>;

// A piece-wise reader: a container's sound track, down-mixed and resampled as it is read. Memory does not depend on its length.
class SoundReader {
public:
    // A path, or "-" for standard input, which may be a pipe that is still being written.
    static Result<std::unique_ptr<SoundReader>> open(const std::string& path, const Waiting& waiting = {});
    static Result<std::unique_ptr<SoundReader>> open(std::span<const std::byte> bytes, const std::string& name);  // bytes must outlive it
    virtual ~SoundReader() = default;
    // Appends what has arrived, about `n` samples or fewer, at least one unless the sound has ended: then false.
    virtual Result<bool> read(int64_t n, std::vector<float>& samples) = 0;
    // Seconds in all if the container says so, else 0.
    virtual double duration() const = 0;
    // Empty, or a sentence about what was damaged and left out so far.
    virtual std::string note() const = 0;
};

// All of a file of up to `max_seconds`; longer is an error that says so.
Result<Sound> read_sound(const std::string& path, double max_seconds = 3600, const Waiting& waiting = {});

// Where to cut long sound: pieces of at most `max_seconds`, each beginning where the one before ended, cut at the quietest point of the
// last part of a piece. [begin, end) in samples; nothing is left out.
struct Piece {
    int64_t begin = 0, end = 0;
};
std::vector<Piece> pieces_at_quiet_points(std::span<const float> samples, double max_seconds = 30);

// ---- video -------------------------------------------------------------------------------------------------------------------
struct Frame {
    double seconds = 0;  // from the beginning
    Image image;
};

struct VideoOptions {
    double fps = 1;           // frames a second that are handed out; those between are skipped
    int64_t side = 0;         // > 0: frames come resized to side x side
    bool sound = true;        // read the sound track too
    // A stream that keeps arriving, read on a thread: when the caller is slower than it, frames are dropped and the newest is kept; sound
    // is never dropped: once ten minutes of it wait, the stream is read on only when next() has taken them. A regular file stands in for such a stream at the speed of the clock.
    bool live = false;
    Waiting waiting;          // asked by next() on the caller's thread
};

// Decodes in process; one frame in memory (and those that the decoder itself keeps), whatever the length.
class VideoReader {
public:
    // A path, "-" for standard input, or a V4L2 device ("/dev/video0").
    static Result<std::unique_ptr<VideoReader>> open(const std::string& path, const VideoOptions& options);
    virtual ~VideoReader() = default;
    // The next frame: number k is what is shown at k / fps seconds, the last that begins by then (the first frame begins at 0). Sound that
    // lay between it and the frame before is appended to `sound` if not null; what comes late, as in a live stream it may, goes with a later
    // frame. nullopt at the end, with the sound after the last frame.
    virtual Result<std::optional<Frame>> next(std::vector<float>* sound) = 0;
    virtual double duration() const = 0;      // of the pictures: seconds if known, else 0
    virtual double sound_duration() const { return has_sound() ? duration() : 0; }  // likewise of the sound track
    virtual bool has_sound() const = 0;
    virtual int64_t dropped() const = 0;      // frames that were skipped because the caller was slower than a live stream
    virtual std::string note() const = 0;     // empty, or a sentence about what was damaged and left out so far
    virtual uint64_t decoder_bytes() const { return video_decoder_bytes; }  // that decoding it holds, by reckoning
};

}  // namespace gemma3n
