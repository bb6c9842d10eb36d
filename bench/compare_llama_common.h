// What both sides of the comparison with llama.cpp share: the ids, the clock, and the one line that a run prints. Neither side knows
// the other's library: they are two programs, so that memory and start-up are each one's own.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

namespace compare {

inline double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Ids spread over the whole published vocabulary behind its special ids: every one brings its own row of every table.
inline std::vector<int> ids(size_t n, uint64_t seed) {
    std::vector<int> out(n);
    for (int& id : out) {
        uint64_t z = seed += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        id = 512 + static_cast<int>((z ^ (z >> 31)) % (262144 - 512));
    }
    return out;
}

struct Options {
    std::string model, kernels;  // kernels: our side's table, empty = the best
    int threads = 2, decode = 64;
    std::vector<int> prefills = {512, 2048}, decode_at = {16, 512};
    std::string logits_out, logits_against;  // the last logits of the first prefill, to be written or compared with

    static std::vector<int> numbers(const char* s) {
        std::vector<int> v;
        for (; *s; s += *s == ',') {
            char* end;
            v.push_back(static_cast<int>(strtol(s, &end, 10)));
            if (end == s) break;
            s = end;
        }
        return v;
    }
    static Options parse(int argc, char** argv) {
        Options o;
        for (int i = 1; i < argc; i++) {
            const std::string a = argv[i];
            const char* value = i + 1 < argc ? argv[i + 1] : "";
            if (a == "-t") o.threads = atoi(value), i++;
            else if (a == "--prefill") o.prefills = numbers(value), i++;
            else if (a == "--at") o.decode_at = numbers(value), i++;
            else if (a == "--decode") o.decode = atoi(value), i++;
            else if (a == "--kernels") o.kernels = value, i++;
            else if (a == "--logits") o.logits_out = value, i++;
            else if (a == "--against") o.logits_against = value, i++;
            else o.model = a;
        }
        if (o.model.empty()) {
            fprintf(stderr, "usage: %s MODEL.gguf [-t 2] [--prefill 512,2048] [--at 16,512] [--decode 64] [--logits FILE] [--against FILE]\n", argv[0]);
            exit(2);
        }
        return o;
    }
};

// A side: append(ids) returns the logits of the last one, null on failure; clear() forgets the sequence.
struct Side {
    virtual ~Side() = default;
    virtual const float* append(const std::vector<int>& ids) = 0;
    virtual void clear() = 0;
    int vocab = 0;
};

inline long status_kb(const char* key) {
    FILE* f = fopen("/proc/self/status", "r");
    if (!f) return -1;
    char line[256];
    long value = -1;
    const size_t n = strlen(key);
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, key, n) && line[n] == ':') value = atol(line + n + 1);
    fclose(f);
    return value;
}

inline double correlation(const float* a, const std::vector<float>& b) {
    const double n = static_cast<double>(b.size());
    double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < b.size(); i++) ma += a[i] / n, mb += b[i] / n;
    for (size_t i = 0; i < b.size(); i++) ab += (a[i] - ma) * (b[i] - mb), aa += (a[i] - ma) * (a[i] - ma), bb += (b[i] - mb) * (b[i] - mb);
    return ab / std::sqrt(aa * bb);
}

// Runs the whole plan and prints one JSON line. Returns the exit code.
inline int run(const Options& o, const char* name, Side& side, double load_s, double start) {
    const auto failed = [&](const char* what) {
        fprintf(stderr, "%s: %s failed\n", name, what);
        return 1;
    };
    if (!side.append(ids(8, 1))) return failed("the first step");
    const double first_token_s = now() - start;
    std::string line = "{\"side\":\"" + std::string(name) + "\",\"load_s\":" + std::to_string(load_s) + ",\"first_token_s\":" + std::to_string(first_token_s);
    const auto add = [&](const std::string& key, double value) { line += ",\"" + key + "\":" + std::to_string(value); };
    bool checked = false;
    for (const int n : o.prefills) {
        side.clear();
        const auto prompt = ids(static_cast<size_t>(n), 77);
        const double t = now();
        const float* logits = side.append(prompt);
        if (!logits) return failed("a prefill");
        add("pp" + std::to_string(n), n / (now() - t));
        for (int i = 0; i < side.vocab; i++)
            if (!std::isfinite(logits[i])) return failed("a prefill (logits are not finite)");
        if (checked) continue;
        checked = true;
        if (!o.logits_out.empty()) {
            FILE* f = fopen(o.logits_out.c_str(), "wb");
            if (!f || fwrite(logits, sizeof(float), static_cast<size_t>(side.vocab), f) != static_cast<size_t>(side.vocab)) return failed("writing the logits");
            fclose(f);
        }
        if (!o.logits_against.empty()) {
            std::vector<float> other(static_cast<size_t>(side.vocab));
            FILE* f = fopen(o.logits_against.c_str(), "rb");
            if (!f || fread(other.data(), sizeof(float), other.size(), f) != other.size()) return failed("reading the other side's logits");
            fclose(f);
            add("correlation", correlation(logits, other));
        }
    }
    add("vmhwm_prefill_bytes", static_cast<double>(status_kb("VmHWM")) * 1024);
    for (const int at : o.decode_at) {
        side.clear();
        if (!side.append(ids(static_cast<size_t>(at), 78))) return failed("a prefill");
        const auto next = ids(static_cast<size_t>(o.decode), 79);
        const double t = now();
        for (const int id : next)
            if (!side.append({id})) return failed("a decode step");
        add("tg@" + std::to_string(at), o.decode / (now() - t));
    }
    add("vmhwm_bytes", static_cast<double>(status_kb("VmHWM")) * 1024);
    printf("%s}\n", line.c_str());
    return 0;
}

}  // namespace compare
