// A video file: frames by the clock and sound in step with them.
#include "input.h"

#include "media/video.h"

#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace gemma3n;
    VideoOptions options;
    options.fps = 3;
    options.side = 8;
    const auto reader = media::open_video(Input::of(std::as_bytes(std::span(data, size)), "input"), options);
    if (!reader) return fuzz::check_error(reader.error()), 0;
    fuzz::check((*reader)->duration() >= 0, "a duration is no less than nothing");
    std::vector<float> sound;
    for (int number = 0; number < 30; number++) {
        const auto frame = (*reader)->next(&sound);
        if (!frame) return fuzz::check_error(frame.error()), 0;
        if (!*frame) break;
        fuzz::check((**frame).seconds == number / 3.0, "frames come by the clock");
        fuzz::check((**frame).image.rgb.size() == 8 * 8 * 3, "frames have the size that was asked for");
        fuzz::check(sound.size() <= (12 + static_cast<size_t>(number)) * sound_rate, "sound is no longer than the pictures");
    }
    fuzz::check((*reader)->note().find('\n') == std::string::npos, "a note is one line");
    return 0;
}
