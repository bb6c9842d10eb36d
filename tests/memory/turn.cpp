// One turn of a conversation by a program over the library, with what it costs: pictures and sound of noise, a prompt, an answer of a fixed
// length. Prints a JSON object: bytes as planned and at the peak, seconds, and the pages that had to be fetched from the disk. The plan is this
// program's own: another holds other libraries.
//   memory_turn MODEL [--memory BYTES] [--prompt N] [--answer N] [--context N] [--image SIDE] [--sound SECONDS] [--kv q8] [--size NAME]
//   [--threads N] [--paced N]: after the turn, one more with an answer of N tokens for each line that it reads, and a JSON object of each
#include "gemma3n/engine.h"

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

using namespace gemma3n;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

uint64_t peak_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string key, rest; status >> key && std::getline(status, rest);)
        if (key == "VmHWM:") return std::stoull(rest) * 1024;
    return 0;
}

long major_faults() {
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    return u.ru_majflt;
}

[[noreturn]] void stop(const Error& e) {
    fprintf(stderr, "memory_turn: %s\n", e.message.c_str());
    exit(e.code == Code::over_budget ? 3 : 1);
}

}  // namespace

int main(int argc, char** argv) {
    EngineOptions o;
    int64_t n_prompt = 64, n_answer = 16, context = 0, side = 0;
    double seconds = 0;
    int64_t n_paced = 0;
    for (int i = 2; i + 1 < argc; i += 2) {
        const std::string key = argv[i], value = argv[i + 1];
        if (key == "--memory") o.memory_limit = static_cast<uint64_t>(std::stod(value));
        else if (key == "--prompt") n_prompt = std::stoll(value);
        else if (key == "--answer") n_answer = std::stoll(value);
        else if (key == "--context") context = std::stoll(value);
        else if (key == "--image") side = std::stoll(value);
        else if (key == "--sound") seconds = std::stod(value);
        else if (key == "--kv" && value == "q8") o.kv = KvType::q8;
        else if (key == "--size") o.size = value;
        else if (key == "--paced") n_paced = std::stoll(value);
        else if (key == "--threads") o.threads = std::stoi(value);
        else stop({Code::bad_argument, key + ": is not an option"});
    }
    if (argc < 2 || argc % 2 != 0) stop({Code::bad_argument, "expected a model, and options with a value each"});
    const double start = now();
    const auto plan = plan_memory(argv[1], o, {.context_tokens = context, .image_side = side, .sound = seconds > 0, .pictures = side > 0, .clips = seconds > 0, .sound_seconds = seconds});
    if (!plan) stop(plan.error());  // as the command does: refused before anything is loaded
    if (o.size == "fit") o.size = plan->size;
    const auto engine = Engine::load(argv[1], o);
    if (!engine) stop(engine.error());
    Engine& e = **engine;
    const double load_s = now() - start;
    const auto session = e.new_session({.context_tokens = plan->context_tokens, .chunk_tokens = plan->chunk_tokens});
    if (!session) stop(session.error());

    std::vector<Part> parts;
    const double encoding = now();
    if (side > 0) {
        Image image{side, side, std::vector<uint8_t>(static_cast<size_t>(3 * side * side))};
        for (size_t i = 0; i < image.rgb.size(); i++) image.rgb[i] = static_cast<uint8_t>(i * 2654435761u >> 24);
        const auto soft = e.encode_image(image, {.side = side});
        if (!soft) stop(soft.error());
        parts.push_back({"", *soft});
    }
    if (seconds > 0) {
        std::vector<float> samples(static_cast<size_t>(seconds * sound_rate));
        for (size_t i = 0; i < samples.size(); i++) samples[i] = 0.3f * static_cast<float>(std::sin(static_cast<double>(i) * 0.17) * std::sin(static_cast<double>(i) * 0.00031));
        const auto soft = e.encode_sound(samples);
        if (!soft) stop(soft.error());
        parts.push_back({"", *soft});
    }
    const uint64_t encoded_peak = peak_bytes();
    const double encode_s = parts.empty() ? 0 : now() - encoding;
    e.release_towers();

    auto prompt = e.text_prompt(parts);
    if (!prompt) stop(prompt.error());
    while (static_cast<int64_t>(prompt->ids.size()) < n_prompt) prompt->ids.push_back(static_cast<int>(prompt->ids.size() * 7919 % 262000));
    GenerateOptions g;
    g.sampling.temperature = 0;
    g.stop_at_eos = false;
    long at_first = -1;
    g.on_text = [&](const std::string&, int) {
        if (at_first < 0) at_first = major_faults();
        return true;
    };
    const auto take_turn = [&](int64_t n) {
        g.max_tokens = n;
        (*session)->clear();
        const auto a = (*session)->generate(*prompt, g);
        if (!a) stop(a.error());
        return a->timing;
    };
    const auto prefill_rate = [](const Timing& t) { return static_cast<double>(t.prompt_tokens) / t.prefill_s; };
    const auto decode_rate = [](const Timing& t) { return t.decode_s > 0 ? static_cast<double>(t.generated_tokens - 1) / t.decode_s : 0.0; };
    const Timing t = take_turn(n_answer);
    printf("{\"load_s\": %.3f, \"encode_s\": %.3f, \"encoded_peak_bytes\": %llu, \"prompt_tokens\": %lld, \"answer_tokens\": %lld, \"prefill_tokens_per_s\": %.2f, \"decode_tokens_per_s\": %.2f, "
           "\"planned_bytes\": %llu, \"peak_bytes\": %llu, \"major_faults\": %ld, \"major_faults_after_first\": %ld, \"context_tokens\": %lld, \"size\": \"%s\"}\n",
           load_s, encode_s, static_cast<unsigned long long>(encoded_peak), static_cast<long long>(t.prompt_tokens), static_cast<long long>(t.generated_tokens),
           prefill_rate(t), decode_rate(t), static_cast<unsigned long long>(plan->peak_bytes), static_cast<unsigned long long>(peak_bytes()),
           major_faults(), major_faults() - at_first, static_cast<long long>((*session)->context_tokens()), (*session)->size().name.c_str());
    fflush(stdout);
    for (std::string line; n_paced > 0 && std::getline(std::cin, line);) {
        const Timing next = take_turn(n_paced);
        printf("{\"prefill_tokens_per_s\": %.2f, \"decode_tokens_per_s\": %.2f, \"peak_bytes\": %llu, \"major_faults_after_first\": %ld}\n", prefill_rate(next), decode_rate(next),
               static_cast<unsigned long long>(peak_bytes()), major_faults() - at_first);
        fflush(stdout);
    }
}
