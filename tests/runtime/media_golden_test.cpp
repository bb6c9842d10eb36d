// Conversations with pictures and sound from end to end, against transformers: ids, soft tokens, logits and greedy tokens, of a scaled model
// with both towers, from a directory, and from a GGUF file with its projector beside it.
#include "gemma3n/engine.h"

#include "kernels/table.h"
#include "model/checkpoint_dir.h"
#include "runtime/media_case.h"
#include "synth/synth.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

constexpr double tolerance = 5e-5;  // of the largest; seen: 4e-6

const MediaGoldens& goldens() {
    static const MediaGoldens g = MediaGoldens::read();
    return g;
}

const CheckpointDir& models() {
    static const CheckpointDir dir;
    static const bool written = [] {
        synth::Options o;
        o.seed = goldens().seed;
        o.towers = true;
        const auto check = [](const Status& s) {
            if (!s) throw std::runtime_error(s.error().message);
        };
        const synth::Shape& tiny = *synth::find_shape("tiny");
        check(write_hf(tiny, format::Mix::f32, dir.path() + "/hf", o));
        check(write_gguf(tiny, format::Mix::f32, dir.path() + "/m.gguf", o));
        return true;
    }();
    EXPECT_TRUE(written);
    return dir;
}

double difference(std::span<const float> a, std::span<const float> b) {
    double most = 0, largest = 0;
    for (size_t i = 0; i < b.size(); i++) {
        most = std::max(most, std::fabs(static_cast<double>(a[i]) - b[i]));
        largest = std::max(largest, std::fabs(static_cast<double>(b[i])));
    }
    return std::isfinite(most) ? most / largest : INFINITY;
}

using Soft = std::map<std::string, std::shared_ptr<const SoftTokens>>;

constexpr int image_id = 449, audio_id = 465;  // of the scaled model

std::shared_ptr<Engine> load(const std::string& name, const std::string& kernels = "") {
    EngineOptions o;
    o.threads = 2;
    o.activations = Activations::f32;
    o.kernels = kernels;
    auto e = Engine::load(models().path() + "/" + name, o);
    if (!e) throw std::runtime_error(e.error().message);
    return *e;
}

Soft encode(Engine& e) {
    Soft soft;
    for (const std::string& m : MediaGoldens::media()) {
        auto s = m.starts_with("image") ? e.encode_image(formula_image(m)) : e.encode_sound(MediaGoldens::samples(m));
        if (!s) throw std::runtime_error(m + ": " + s.error().message);
        soft[m] = *s;
    }
    return soft;
}

Prompt prompt_of(const Engine& e, const MediaCase& c, const Soft& soft) {
    ChatMessage message{"user", "", {}};
    for (const std::string& p : c.parts) {
        const auto it = soft.find(p);
        message.parts.push_back(it == soft.end() ? Part{p, nullptr} : Part{"", it->second});
    }
    const auto prompt = e.chat_prompt({message}, true);
    if (!prompt) throw std::runtime_error(prompt.error().message);
    return *prompt;
}

class Media : public testing::TestWithParam<const char*> {};

TEST_P(Media, SoftTokensAreTheReferences) {
    const auto e = load(GetParam());
    const Soft soft = encode(*e);
    for (const auto& [name, expected] : goldens().soft) {
        const SoftTokens& s = *soft.at(name);
        EXPECT_EQ(s.hidden, MediaGoldens::hidden);
        EXPECT_EQ(s.n, name.starts_with("image") ? 256 : 188);
        std::vector<float> rows;
        for (const int r : goldens().soft_rows) rows.insert(rows.end(), s.values.begin() + r * s.hidden, s.values.begin() + (r + 1) * s.hidden);
        EXPECT_LT(difference(rows, expected), tolerance) << name;
    }
}

TEST_P(Media, IdsLogitsAndGreedyTokensAreTheReferences) {
    const auto e = load(GetParam());
    const Soft soft = encode(*e);
    for (const MediaCase& c : goldens().cases) {
        SCOPED_TRACE(c.name);
        const Prompt prompt = prompt_of(*e, c, soft);
        ASSERT_EQ(prompt.ids, c.ids);
        auto session = e->new_session();
        ASSERT_TRUE(session);
        const auto last = (*session)->append(prompt);
        ASSERT_TRUE(last) << last.error().message;
        // a GGUF file's table ends before the marks: its logits are those of text
        const std::span<const float> expected(c.logits.data() + (c.positions.size() - 1) * MediaGoldens::vocab, static_cast<size_t>(last->size()));
        EXPECT_LT(difference(*last, expected), tolerance);
        auto fresh = e->new_session();
        GenerateOptions greedy;
        greedy.sampling.temperature = 0;
        greedy.max_tokens = static_cast<int64_t>(c.greedy.size());
        greedy.stop_at_eos = false;
        const auto answer = (*fresh)->generate(prompt, greedy);
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_EQ(answer->ids, c.greedy);
    }
}

INSTANTIATE_TEST_SUITE_P(Containers, Media, testing::Values("hf", "m.gguf"));

// Every position that is kept, through the one call that everything runs, on every kernel table of this CPU.
TEST(MediaGoldensTest, LogitsOfAllKeptPositions) {
    for (const kernels::Entry& table : kernels::all()) {
        if (!table.supported) continue;
        const auto e = load("hf", table.table->name);
        const Soft soft = encode(*e);
        for (const MediaCase& c : goldens().cases) {
            SCOPED_TRACE(c.name + " on " + table.table->name);
            auto session = e->new_session();
            const Prompt prompt = prompt_of(*e, c, soft);
            std::vector<StepRow> rows;
            size_t next = 0;
            int64_t row = 0;
            for (const int id : prompt.ids) {
                const bool placeholder = id == image_id || id == audio_id;
                if (placeholder && row == prompt.media[next]->n) next++, row = 0;
                rows.push_back({session->get(), id, placeholder ? prompt.media[next]->values.data() + row++ * MediaGoldens::hidden : nullptr, true});
            }
            const auto logits = e->step(rows);
            ASSERT_TRUE(logits) << logits.error().message;
            std::vector<float> kept;
            for (const int p : c.positions) kept.insert(kept.end(), logits->row(p).begin(), logits->row(p).end());
            EXPECT_LT(difference(kept, c.logits), tolerance);
        }
    }
}

}  // namespace
}  // namespace gemma3n::test
