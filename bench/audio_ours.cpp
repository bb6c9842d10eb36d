// Our side of audio.py: a tower of a file and a file of 16 kHz samples (f32), encoded once for each line "run" of standard input; seconds on
// standard output. "save PATH" writes the last rows as f32, "roof" what the machine does at best, "parts" the parts of a second that each part
// of a run takes, "stream" what a second of the last minute costs a stream that heard all before, and one that has just begun, in turns.
#include "bench/ours.h"
#include "model/audio/tower.h"

#include <algorithm>

using namespace gemma3n;
using namespace gemma3n::bench;

namespace {

constexpr size_t second = 16000;

std::vector<float> read_samples(const std::string& path) {
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    if (!in) stop("'" + path + "' cannot be read");
    std::vector<float> samples(static_cast<size_t>(in.tellg()) / sizeof(float));
    in.seekg(0);
    in.read(reinterpret_cast<char*>(samples.data()), static_cast<std::streamsize>(samples.size() * sizeof(float)));
    return samples;
}

double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v.empty() ? 0 : v[v.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) stop("usage: audio_ours TOWER SAMPLES THREADS exact|fast");
    auto checkpoint = format::Checkpoint::open(argv[1]);
    if (!checkpoint) stop(checkpoint.error().message);
    auto bound = model::AudioTower::bind(**checkpoint, {});
    if (!bound) stop(bound.error().message);
    const model::AudioTower& tower = **bound;
    const std::vector<float> samples = read_samples(argv[2]);
    const double seconds = static_cast<double>(samples.size()) / static_cast<double>(second);
    Machine machine(atoi(argv[3]), std::string(argv[4]) == "exact");
    std::vector<float> rows;

    for (std::string line; std::getline(std::cin, line);) {
        if (line == "roof") {
            machine.print_roof(tower.multiplications_per_second() * seconds);
        } else if (line == "run" || line == "parts") {
            Parts parts;
            const auto stream = tower.stream();
            rows.clear();
            const double begin = now();
            Status s = stream->push(machine.context, samples, rows, line == "parts" ? &parts : nullptr);
            if (s) s = stream->finish(machine.context, rows, line == "parts" ? &parts : nullptr);
            if (!s) stop(s.error().message);
            const double end = now();
            parts.print();
            printf("%.6f %.0f\n", end - begin, static_cast<double>(machine.scratch.capacity_bytes()));
        } else if (line == "stream") {
            const size_t minute = 60 * second, before = samples.size() > minute ? samples.size() - minute : 0;
            if (before < minute) stop("a stream is measured over two minutes or more");
            const auto old = tower.stream(), young = tower.stream();
            const auto hear = [&](model::AudioTower::Stream& stream, size_t from, size_t n) {
                rows.clear();
                const double begin = now();
                if (const Status s = stream.push(machine.context, std::span(samples).subspan(from, n), rows, nullptr); !s) stop(s.error().message);
                return now() - begin;
            };
            hear(*old, 0, before);
            hear(*young, 0, 2 * second);  // past its beginning
            std::vector<double> early, late, ratio;
            for (size_t at = before; at + second <= samples.size(); at += second) {
                early.push_back(hear(*young, at, second));
                late.push_back(hear(*old, at, second));
                ratio.push_back(late.back() / early.back());
            }
            printf("a second costs %.2f ms after %zu s, %.2f ms in a stream that began 2 s before: %.3f times as much; %.0f bytes are kept, %.0f by the other\n", median(late) * 1e3, before / second,
                   median(early) * 1e3, median(ratio), static_cast<double>(old->bytes()), static_cast<double>(young->bytes()));
        } else if (line.starts_with("save ")) {
            save(line.substr(5), rows);
        } else {
            stop("'" + line + "' is no order");
        }
        fflush(stdout);
    }
}
