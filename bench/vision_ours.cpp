// Our side of vision.py: a tower of a file, run once for each line "run" of standard input; seconds on standard output. "save PATH" writes the
// last rows as f32, "roof" what the machine does at best, "parts" the parts of a second that each part of the tower takes.
#include "bench/ours.h"
#include "model/vision/tower.h"

using namespace gemma3n;
using namespace gemma3n::bench;

int main(int argc, char** argv) {
    if (argc != 5) stop("usage: vision_ours TOWER SIDE THREADS exact|fast");
    const int64_t side = atoll(argv[2]);
    auto checkpoint = format::Checkpoint::open(argv[1]);
    if (!checkpoint) stop(checkpoint.error().message);
    auto bound = model::VisionTower::bind(**checkpoint, {});
    if (!bound) stop(bound.error().message);
    const model::VisionTower& tower = **bound;

    std::vector<float> pixels(static_cast<size_t>(3 * side * side));
    for (size_t i = 0; i < pixels.size(); i++) pixels[i] = static_cast<float>(i * 2654435761u % 256) / 255.0f;
    Machine machine(atoi(argv[3]), std::string(argv[4]) == "exact");
    std::vector<float> rows(static_cast<size_t>(tower.n_tokens() * tower.width()));
    Buffer buffer{reinterpret_cast<std::byte*>(rows.data()), rows.size() * sizeof(float)};
    const View out{&buffer, 0, DType::f32, tower.n_tokens(), tower.width(), static_cast<uint64_t>(tower.width()) * sizeof(float)};

    for (std::string line; std::getline(std::cin, line);) {
        if (line == "roof") {
            machine.print_roof(tower.multiplications(side));
        } else if (line == "run" || line == "parts") {
            Parts parts;
            const double begin = now();
            if (const Status s = tower.encode(machine.context, pixels, side, out, line == "parts" ? &parts : nullptr); !s) stop(s.error().message);
            const double end = now();
            parts.print();
            printf("%.6f %.0f\n", end - begin, static_cast<double>(machine.scratch.capacity_bytes()));
        } else if (line.starts_with("save ")) {
            save(line.substr(5), rows);
        } else {
            stop("'" + line + "' is no order");
        }
        fflush(stdout);
    }
}
