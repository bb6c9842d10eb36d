// What tests of plans share: small files, and a refusal's ways out, tried.
#pragma once

#include "gemma3n/engine.h"
#include "model/checkpoint_dir.h"
#include "runtime/engine_impl.h"
#include "synth/synth.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

namespace gemma3n::test {

inline std::vector<int> ids(int64_t n) {
    std::vector<int> v;
    for (int64_t i = 0; i < n; i++) v.push_back(static_cast<int>(i * 79 % 448));
    return v;
}

// One file of each mix for all tests.
class Plan : public testing::Test {
protected:
    static inline std::unique_ptr<CheckpointDir> dir_;
    static void SetUpTestSuite() { dir_ = std::make_unique<CheckpointDir>(); }
    static void TearDownTestSuite() { dir_.reset(); }

    static std::string path(const std::string& mix) {
        const std::string p = dir_->path() + "/" + mix + ".gguf";
        if (!std::filesystem::exists(p)) {
            const Status s = synth::write_gguf(*synth::find_shape("tiny"), *format::mix_from_name(mix), p, {});
            if (!s) ADD_FAILURE() << s.error().message;
        }
        return p;
    }
    static std::shared_ptr<Engine> load(const std::string& path, const EngineOptions& options) {
        auto e = Engine::load(path, options);
        if (!e) ADD_FAILURE() << e.error().message;
        return e ? *e : nullptr;
    }
};

// What a refusal names, tried.
inline void expect_way_out(const std::string& path, EngineOptions o, MemoryNeeds needs, const std::string& sentence) {
    std::smatch m;
    bool named = false;
    const auto works = [&](const EngineOptions& options, const MemoryNeeds& n) {
        named = true;
        const auto p = plan_memory(path, options, n);
        EXPECT_TRUE(p) << sentence << "\n" << (p ? "" : p.error().message);
        if (p) {
            EXPECT_LE(p->peak_bytes, options.memory_limit);
        }
    };
    EngineOptions q8 = o;
    q8.kv = KvType::q8;
    if (std::regex_search(sentence, m, std::regex("the least limit that works is (\\d+)M, with a context of (\\d+) tokens, keys and values of type (\\w+) and size (\\S+)"))) {
        EngineOptions least = m[3] == "q8" ? q8 : o;
        least.memory_limit = std::stoull(m[1]) * 1000000;
        MemoryNeeds n = needs;
        n.context_tokens = std::stoll(m[2]);
        n.size = m[4];
        works(least, n);
        least.memory_limit -= 2000000;
        EXPECT_FALSE(plan_memory(path, least, n)) << "it is the least";
    } else if (std::regex_search(sentence, m, std::regex("a context of (\\d+) tokens together with keys and values of type q8"))) {
        MemoryNeeds n = needs;
        n.context_tokens = std::stoll(m[1]);
        works(q8, n);
    } else {
        const std::string fits = sentence.substr(sentence.find("what fits is"));
        if (fits.find("keys and values of type q8") != std::string::npos) works(q8, needs);
        if (std::regex_search(fits, m, std::regex("a context of (\\d+) tokens"))) {
            MemoryNeeds n = needs;
            n.context_tokens = std::stoll(m[1]);
            works(o, n);
        }
    }
    EXPECT_TRUE(named) << sentence;
}

}  // namespace gemma3n::test
