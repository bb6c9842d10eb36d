// WAV: RIFF and RF64, whole numbers of 8 to 32 bits, floats of 32 and 64, A-law and mu-law, written to the end or still being written.
#include "media/resampler.h"
#include "media/samples.h"
#include "media/sound.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace gemma3n::media {

namespace {

constexpr int64_t max_channels = 64;
constexpr size_t most_before_data = 1 << 20;  // bytes of chunks ahead of the samples
constexpr size_t read_step = 1 << 16;         // bytes that are made room for before they are there

uint64_t number(std::span<const std::byte> b, size_t at, size_t n) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v |= std::to_integer<uint64_t>(b[at + i]) << 8 * i;
    return v;
}
std::string_view tag(std::span<const std::byte> b, size_t at) { return {reinterpret_cast<const char*>(b.data()) + at, 4}; }

struct Format {
    Sample sample = Sample::s16;
    int64_t rate = 0, channels = 0, frame_bytes = 0;
};

// The format's number and bits; an extensible format has the number at the head of its GUID.
bool known(std::span<const std::byte> fmt, Format& f) {
    uint64_t kind = number(fmt, 0, 2);
    const uint64_t bits = number(fmt, 14, 2);
    if (kind == 0xFFFE && fmt.size() >= 40) kind = number(fmt, 24, 2);
    struct Kind {
        uint64_t kind, bits;
        Sample sample;
    };
    static constexpr Kind kinds[] = {{1, 8, Sample::u8},   {1, 16, Sample::s16}, {1, 24, Sample::s24},  {1, 32, Sample::s32},
                                     {3, 32, Sample::f32}, {3, 64, Sample::f64}, {6, 8, Sample::a_law}, {7, 8, Sample::mu_law}};
    const auto k = std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& x) { return x.kind == kind && x.bits == bits; });
    if (k == std::end(kinds)) return false;
    f.sample = k->sample;
    f.channels = static_cast<int64_t>(number(fmt, 2, 2));
    f.rate = static_cast<int64_t>(number(fmt, 4, 4));
    f.frame_bytes = static_cast<int64_t>(number(fmt, 12, 2));
    return true;
}

class Wav : public SoundSource {
public:
    explicit Wav(std::unique_ptr<Input> in) : in_(std::move(in)) {}

    Status open() {
        TRY(need(12));
        const bool large = tag(head_, 0) == "RF64" || tag(head_, 0) == "BW64";
        const uint64_t riff = number(head_, 4, 4);
        uint64_t large_data = 0;
        bool have_format = false;
        for (size_t at = 12;;) {
            TRY(need(at + 8));
            const std::string_view name = tag(head_, at);
            const uint64_t size = number(head_, at + 4, 4);
            if (name == "data") {
                if (!have_format) return fail(Code::bad_file, "%s: is a broken WAV file: its samples come before their format", in_->name().c_str());
                begin_data(size, large ? large_data : 0, riff, at + 8);
                return {};
            }
            if (at + 8 > most_before_data || size > most_before_data - at - 8) {
                return fail(Code::bad_file, "%s: is a broken WAV file: chunk '%s' has %llu bytes: expected samples within the first %zu", in_->name().c_str(), shown(name).c_str(),
                            static_cast<unsigned long long>(size), most_before_data);
            }
            const std::string kept(name);
            TRY(need(at + 8 + size + size % 2));
            const auto body = std::span<const std::byte>(head_).subspan(at + 8, size);
            if (kept == "fmt ") {
                TRY(read_format(body));
                have_format = true;
            }
            if (kept == "ds64" && size >= 16) large_data = number(body, 8, 8);
            at += 8 + size + size % 2;
        }
    }

    Result<bool> read(int64_t n, std::vector<float>& mono) override {
        n = std::clamp<int64_t>(n, 1, 1 << 16);
        const size_t frame = static_cast<size_t>(format_.frame_bytes);
        for (;;) {
            const uint64_t wanted = std::min<uint64_t>(static_cast<uint64_t>(n) * frame - held_, left_);
            buffer_.resize(held_ + wanted);
            size_t got = 0;
            if (wanted > 0) {
                ASSIGN(got, in_->read(std::span(buffer_).subspan(held_)));
            }
            if (got == 0) {
                end();
                return false;
            }
            held_ += got;
            if (left_ != unknown) left_ -= got;
            if (held_ < frame) continue;
            const size_t whole = held_ / frame;
            std::array<const std::byte*, max_channels> channels;
            for (size_t c = 0; c < static_cast<size_t>(format_.channels); c++) channels[c] = buffer_.data() + c * static_cast<size_t>(bytes_per(format_.sample));
            mix(format_.sample, std::span(channels).first(static_cast<size_t>(format_.channels)), format_.frame_bytes, static_cast<int64_t>(whole), mono);
            memmove(buffer_.data(), buffer_.data() + whole * frame, held_ - whole * frame);
            held_ -= whole * frame;
            return true;
        }
    }

    int64_t rate() const override { return format_.rate; }
    double duration() const override { return duration_; }
    std::string note() const override { return note_; }

private:
    static constexpr uint64_t unknown = ~uint64_t{0};

    // The first n bytes into head_.
    Status need(size_t n) {
        while (head_.size() < n) {
            const size_t had = head_.size();
            head_.resize(std::min(n, had + read_step));
            ASSIGN(const size_t got, in_->read(std::span(head_).subspan(had)));
            head_.resize(had + got);
            if (got == 0) return fail(Code::bad_file, "%s: is a broken WAV file: it ends after %zu bytes, before its samples", in_->name().c_str(), had);
        }
        return {};
    }

    Status read_format(std::span<const std::byte> fmt) {
        const char* name = in_->name().c_str();
        if (fmt.size() < 16) return fail(Code::bad_file, "%s: is a broken WAV file: its format has %zu bytes: expected at least 16", name, fmt.size());
        if (!known(fmt, format_)) {
            return fail(Code::unsupported, "%s: is a WAV file of format %llu with %llu bits: expected whole numbers of 8 to 32 bits, floats, A-law or mu-law", name,
                        static_cast<unsigned long long>(number(fmt, 0, 2)), static_cast<unsigned long long>(number(fmt, 14, 2)));
        }
        TRY(check_rate(in_->name(), format_.rate, format_.channels));
        if (format_.frame_bytes != format_.channels * bytes_per(format_.sample)) {
            return fail(Code::bad_file, "%s: is a broken WAV file: %lld bytes hold a sample of its %lld channels: expected %lld", name, static_cast<long long>(format_.frame_bytes),
                        static_cast<long long>(format_.channels), static_cast<long long>(format_.channels * bytes_per(format_.sample)));
        }
        return {};
    }

    // Programs that write to a pipe cannot go back and fill in the sizes: 0 or the largest number stand there, and the end is the end.
    void begin_data(uint64_t size, uint64_t large_size, uint64_t riff, size_t at) {
        const bool open_end = large_size == 0 && (size >= 0x7FFF0000 || (size == 0 && (riff == 0 || riff >= 0x7FFF0000 || !in_->seekable())));
        if (large_size > 0) size = large_size;
        const uint64_t there = in_->seekable() ? static_cast<uint64_t>(in_->size()) - at : unknown;
        left_ = open_end ? unknown : size;
        if (const uint64_t bytes = std::min(left_, there); bytes != unknown) {
            duration_ = static_cast<double>(bytes / static_cast<uint64_t>(format_.frame_bytes)) / static_cast<double>(format_.rate);
        }
        head_.clear();
    }

    void end() {
        if (left_ != unknown && left_ > 0) note_ = text("%s: ends %llu bytes before its header says", in_->name().c_str(), static_cast<unsigned long long>(left_));
        left_ = 0;
    }

    std::unique_ptr<Input> in_;
    std::vector<std::byte> head_;    // the bytes before the samples
    Format format_;
    std::vector<std::byte> buffer_;  // the first held_ bytes are the beginning of a sample of all channels
    size_t held_ = 0;
    uint64_t left_ = 0;              // bytes of samples still to come
    double duration_ = 0;
    std::string note_;
};

}  // namespace

Result<bool> is_plain_wav(Input& in) {
    ASSIGN(auto b, in.peek(12));
    if (b.size() < 12 || (tag(b, 0) != "RIFF" && tag(b, 0) != "RF64" && tag(b, 0) != "BW64") || tag(b, 8) != "WAVE") return false;
    for (size_t at = 12; at < 1 << 16;) {
        ASSIGN(b, in.peek(at + 8));
        if (b.size() < at + 8) return true;  // cut short: the reader of WAV says so
        const uint64_t size = number(b, at + 4, 4);
        if (tag(b, at) == "fmt " && size >= 16 && size < 1 << 16) {
            ASSIGN(b, in.peek(at + 8 + size));
            Format f;
            return b.size() < at + 8 + size || known(b.subspan(at + 8, size), f);
        }
        at += 8 + size + size % 2;
    }
    return true;
}

Result<std::unique_ptr<SoundSource>> open_wav(std::unique_ptr<Input> in) {
    auto wav = std::make_unique<Wav>(std::move(in));
    TRY(wav->open());
    return std::unique_ptr<SoundSource>(std::move(wav));
}

}  // namespace gemma3n::media
