// Sound, WAV or container, read twice in pieces of different sizes: the same samples, all of them numbers. At the file's own rate: the
// resampler sees no byte of the file, and takes most of the time.
#include "input.h"

#include "media/sound.h"

#include <cmath>
#include <vector>

namespace {

using namespace gemma3n;

constexpr size_t most = 20 * sound_rate;

bool read(std::span<const std::byte> bytes, int64_t piece, std::vector<float>& samples) {
    const auto source = media::open_sound(Input::of(bytes, "input"));
    if (!source) return fuzz::check_error(source.error()), false;
    fuzz::check((*source)->rate() >= 1000 && (*source)->duration() >= 0, "rate and duration are within their bounds");
    while (samples.size() < most) {
        const size_t had = samples.size();
        const auto more = (*source)->read(piece, samples);
        if (!more) return fuzz::check_error(more.error()), false;
        fuzz::check(*more == (samples.size() > had), "there is more exactly if something came");
        if (!*more) return true;
    }
    samples.resize(most);
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    std::vector<float> a, b;
    const bool whole = read(bytes, 16000, a);
    for (const float x : a) fuzz::check(std::fabs(x) <= 1, "a sample is a number of its range");
    const bool again = read(bytes, 100, b);
    fuzz::check(whole == again, "the size of the pieces decides nothing");
    if (whole) fuzz::check(a == b, "the size of the pieces changes nothing");
    int64_t end = 0;
    for (const Piece& p : pieces_at_quiet_points(a, 1)) {
        fuzz::check(p.begin == end && p.end > p.begin && p.end - p.begin <= sound_rate, "pieces follow one another");
        end = p.end;
    }
    fuzz::check(end == static_cast<int64_t>(a.size()), "pieces leave nothing out");
    return 0;
}
