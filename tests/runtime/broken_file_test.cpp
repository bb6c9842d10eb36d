// The model's file is cut short while an answer is being made: that request ends with a sentence, the process and other engines
// go on, and the engine refuses whatever comes later.
#include "runtime/tiny_engine.h"

#include "base/temporary_file.h"

namespace gemma3n::test {
namespace {

class BrokenFile : public testing::TestWithParam<bool> {};

TEST_P(BrokenFile, EndsTheRequestAndNothingElse) {
    const bool gguf = GetParam();
    const CheckpointDir dir;
    const TemporaryFile file(TinyModel::gguf());
    TinyModel::write(dir);
    const std::string path = gguf ? file.path() : dir.path(), weights = gguf ? file.path() : dir.path() + "/model.safetensors";
    const CheckpointDir other_dir;
    TinyModel::write(other_dir);
    const auto engine = *Engine::load(path, {.threads = 2}), other = *Engine::load(other_dir.path(), {.threads = 2});
    auto s = *engine->new_session(), idle = *engine->new_session(), t = *other->new_session();
    const std::vector<int> prompt = {2, 9, 270};
    int n = 0;
    GenerateOptions o{.max_tokens = 30, .stop_at_eos = false};
    o.on_text = [&](const std::string&, int) {
        if (++n == 3) std::filesystem::resize_file(weights, 5000);  // a page and a bit are left
        return true;
    };
    const auto a = s->generate(prompt, o);
    ASSERT_FALSE(a);
    EXPECT_EQ(a.error().code, Code::io);
    EXPECT_NE(a.error().message.find(weights + ": the file has shrunk from "), std::string::npos) << a.error().message;
    EXPECT_EQ(n, 3);
    EXPECT_EQ(s->n_tokens(), 5) << "what was in the cache before the step that failed";
    for (Session* session : {s.get(), idle.get()}) {
        EXPECT_EQ(session->append(prompt).error().code, Code::io);
        EXPECT_EQ(session->generate(prompt, {}).error().code, Code::io);
    }
    EXPECT_EQ(engine->step(std::vector<StepRow>{{idle.get(), 2}}).error().code, Code::io);
    const auto b = t->generate(prompt, {.max_tokens = 5, .stop_at_eos = false});
    ASSERT_TRUE(b) << b.error().message;
    EXPECT_EQ(b->ids.size(), 5u);

    std::filesystem::resize_file(weights, 1 << 20);  // with other bytes it is another file
    EXPECT_EQ(idle->append(prompt).error().code, Code::io);
}
INSTANTIATE_TEST_SUITE_P(Containers, BrokenFile, testing::Bool(), [](const auto& p) { return p.param ? "Gguf" : "Safetensors"; });

}  // namespace
}  // namespace gemma3n::test
