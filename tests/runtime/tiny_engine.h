// The tiny model with its tokenizer, loaded from a directory that lives as long as the test.
#pragma once

#include "gemma3n/engine.h"
#include "model/tiny_model.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace gemma3n::test {

class TinyEngine : public testing::Test {
protected:
    void SetUp() override {
        TinyModel::write(dir_);
        engine_ = load();
        ASSERT_TRUE(engine_);
    }
    std::shared_ptr<Engine> load(EngineOptions options = {.threads = 1, .activations = Activations::f32}) const {
        auto e = Engine::load(dir_.path(), options);
        if (!e) ADD_FAILURE() << e.error().message;
        return e ? *e : nullptr;
    }
    std::unique_ptr<Session> session(const SessionOptions& options = {}) const {
        auto s = engine_->new_session(options);
        if (!s) ADD_FAILURE() << s.error().message;
        return s ? std::move(*s) : nullptr;
    }
    // Logits after `ids` in a session of their own: what any other way to the same past must give, bit for bit.
    std::vector<float> alone(const std::vector<int>& ids) const {
        auto s = session();
        const auto l = s->append(ids);
        if (!l) ADD_FAILURE() << l.error().message;
        return l ? std::vector<float>(l->begin(), l->end()) : std::vector<float>();
    }
    static std::vector<float> copy(const Result<std::span<const float>>& l) {
        if (!l) ADD_FAILURE() << l.error().message;
        return l ? std::vector<float>(l->begin(), l->end()) : std::vector<float>();
    }
    static std::vector<int> joined(std::vector<int> a, const std::vector<int>& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    }

    CheckpointDir dir_;
    std::shared_ptr<Engine> engine_;
    const std::vector<int> prompt_ = {2, 270, 266, 268, 100, 285, 9};
};

}  // namespace gemma3n::test
