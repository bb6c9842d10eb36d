#include "media/container.h"

#include "base/library.h"

#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <cstring>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>

namespace gemma3n::media {

namespace {

thread_local std::string logged;  // the first complaint since it was last asked for

void on_log(void* of, int level, const char* format, va_list args) {
    if (level > AV_LOG_ERROR || !logged.empty()) return;
    char line[256];
    int prefix = 0;
    av_log_format_line2(of, level, format, args, line, sizeof line, &prefix);
    const std::string_view whole(line);
    logged = whole.substr(0, whole.find_last_not_of(" \n.") + 1);
}

void quiet() {
    static std::once_flag once;
    std::call_once(once, [] { av_log_set_callback(on_log); });
}

constexpr int buffer_bytes = 1 << 15;
constexpr int64_t pipe_analysis = AV_TIME_BASE / 2;  // of a stream that keeps arriving, at most that much is looked at before it begins

}  // namespace

std::string explained(int error) {
    char word[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(error, word, sizeof word);
    std::string all = word;
    if (!logged.empty()) all += " (" + shown(logged) + ")";
    logged.clear();
    return all;
}

std::optional<double> seconds(int64_t time, AVRational base) {
    if (time == AV_NOPTS_VALUE || base.den == 0) return {};
    return static_cast<double>(time) * av_q2d(base);
}

Result<std::unique_ptr<Container>> Container::open(std::unique_ptr<Input> in, const Waiting& waiting) {
    std::unique_ptr<Container> c(new Container);
    c->name_ = in->name();
    c->in_ = std::move(in);
    c->waiting_ = waiting;
    auto* buffer = static_cast<unsigned char*>(av_malloc(buffer_bytes));
    const auto read = [](void* self, uint8_t* out, int n) -> int {
        auto* me = static_cast<Container*>(self);
        const auto got = me->in_->read(std::as_writable_bytes(std::span(out, static_cast<size_t>(n))));
        if (!got) {
            me->failure_ = std::make_unique<Error>(got.error());
            return AVERROR_EXIT;
        }
        return *got > 0 ? static_cast<int>(*got) : AVERROR_EOF;
    };
    const auto seek = [](void* self, int64_t offset, int whence) -> int64_t {
        auto* me = static_cast<Container*>(self);
        if (whence & AVSEEK_SIZE) return me->in_->size();
        if ((whence & ~AVSEEK_FORCE) != SEEK_SET || !me->in_->seek(offset)) return AVERROR(EINVAL);
        return offset;
    };
    c->io_ = avio_alloc_context(buffer, buffer_bytes, 0, c.get(), read, nullptr, c->in_->seekable() ? +seek : nullptr);
    if (!c->io_) return fail(Code::io, "%s: FFmpeg has no memory for it", c->name_.c_str());
    if (!c->in_->seekable()) TRY(c->check_pipe());
    TRY(c->start_reading("sound or video", nullptr, nullptr));
    return c;
}

Result<std::unique_ptr<Container>> Container::open_device(const std::string& path, const Waiting& waiting) {
    std::unique_ptr<Container> c(new Container);
    c->name_ = path;
    c->waiting_ = waiting;
    // It brings eighty libraries, which only a camera is worth; its number has always been that of libavformat.
    const auto register_all = reinterpret_cast<void (*)()>(library_function("libavdevice.so." AV_STRINGIFY(LIBAVFORMAT_VERSION_MAJOR), "avdevice_register_all"));
    if (!register_all) return fail(Code::unsupported, "%s: a camera needs FFmpeg's libavdevice, which is not installed", path.c_str());
    register_all();
    const AVInputFormat* kind = av_find_input_format("v4l2");
    if (!kind) return fail(Code::unsupported, "%s: this FFmpeg has no V4L2 devices", path.c_str());
    TRY(c->start_reading("video device", kind, path.c_str()));
    return c;
}

// MP4 and MOV are boxes: 4 bytes of size, 4 of name. What lies in 'mdat' cannot be read without 'moov', and a pipe does not go back for it.
Status Container::check_pipe() {
    constexpr uint64_t most = 1 << 16;  // bytes that are looked at
    const auto big_endian = [](std::span<const std::byte> b, size_t at) {
        uint64_t v = 0;
        for (size_t i = at; i < at + 4; i++) v = v << 8 | std::to_integer<uint64_t>(b[i]);
        return v;
    };
    for (uint64_t at = 0; at < most;) {
        ASSIGN(const auto b, in_->peek(at + 8));
        if (b.size() < at + 8) return {};
        const std::string_view box(reinterpret_cast<const char*>(b.data()) + at + 4, 4);
        if (at == 0 && box != "ftyp" && box != "wide" && box != "mdat") return {};
        if (box == "mdat") {
            return fail(Code::unsupported, "%s: is an MP4 file whose index stands at its end, and a pipe cannot be read backwards: expected the file itself, or one written with its index in front (ffmpeg -movflags +faststart)",
                        name_.c_str());
        }
        const uint64_t size = big_endian(b, at);
        if (box == "moov" || box == "moof" || size < 8) return {};
        at += size;
    }
    return {};
}

Status Container::start_reading(const char* what, const AVInputFormat* kind, const char* url) {
    quiet();
    logged.clear();
    format_ = avformat_alloc_context();
    if (!format_) return fail(Code::io, "%s: FFmpeg has no memory for it", name_.c_str());
    if (io_) {
        format_->pb = io_;
        format_->flags |= AVFMT_FLAG_CUSTOM_IO;
    }
    format_->io_open = [](AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EPERM); };
    if (!in_) format_->flags |= AVFMT_FLAG_NONBLOCK;  // else the system waits for a device's picture and asks nobody
    format_->interrupt_callback = {[](void* self) { return static_cast<Container*>(self)->goes_on() ? 0 : 1; }, this};
    if (!is_file()) format_->max_analyze_duration = pipe_analysis;
    int error = avformat_open_input(&format_, url, kind, nullptr);  // frees the context if it fails
    if (error >= 0) error = avformat_find_stream_info(format_, nullptr);
    if (failure_) return *failure_;
    if (error == AVERROR_EXIT) return fail(Code::cancelled, "%s: the wait for it was ended", name_.c_str());
    if (error < 0) return fail(Code::bad_file, "%s: is no %s that can be read: %s", name_.c_str(), what, explained(error).c_str());
    return {};
}

// FFmpeg, and next(), try a device without a picture again at once: the pause is here.
bool Container::goes_on() const {
    if (!in_) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return !waiting_ || waiting_();
}

Container::~Container() {
    avformat_close_input(&format_);
    if (io_) av_freep(&io_->buffer);
    avio_context_free(&io_);
}

AVStream* Container::best(AVMediaType kind) const {
    const int i = av_find_best_stream(format_, kind, -1, -1, nullptr, 0);
    if (i < 0) return nullptr;
    AVStream* s = format_->streams[i];
    return s->disposition & AV_DISPOSITION_ATTACHED_PIC ? nullptr : s;
}

void Container::keep_only(std::initializer_list<const AVStream*> streams) {
    for (unsigned i = 0; i < format_->nb_streams; i++) {
        AVStream* s = format_->streams[i];
        s->discard = std::find(streams.begin(), streams.end(), s) == streams.end() ? AVDISCARD_ALL : AVDISCARD_DEFAULT;
    }
}

Result<bool> Container::next(AVPacket* packet) {
    while (!ended_) {
        logged.clear();
        const int error = av_read_frame(format_, packet);
        if (error >= 0) return true;
        if (failure_) return *failure_;
        if (error == AVERROR(EAGAIN) && goes_on()) continue;  // a device without a picture yet
        if (error == AVERROR(EAGAIN) || error == AVERROR_EXIT) return fail(Code::cancelled, "%s: the wait for more was ended", name_.c_str());
        if (error != AVERROR_EOF || !logged.empty()) note_ = text("%s: cannot be read to its end: %s", name_.c_str(), explained(error).c_str());
        ended_ = true;
    }
    return false;
}

double Container::duration(const AVStream* stream) const {
    if (format_->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE) return 0;
    const double whole = std::max(0.0, seconds(format_->duration, AV_TIME_BASE_Q).value_or(0)), own = seconds(stream->duration, stream->time_base).value_or(0);
    return own > 0 ? std::min(own, whole) : whole;
}

}  // namespace gemma3n::media
