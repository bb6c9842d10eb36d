// What include/gemma3n/engine.h promises: every wrong call has its code and its sentence, and changes nothing.
#include "runtime/tiny_engine.h"

#include <thread>

namespace gemma3n::test {
namespace {

using EngineContract = TinyEngine;

TEST_F(EngineContract, LoadRefusesOptionsThatCannotBeMeant) {
    const auto refusal = [&](const EngineOptions& o) {
        const auto e = Engine::load(dir_.path(), o);
        EXPECT_FALSE(e);
        return e ? Error{} : e.error();
    };
    EXPECT_EQ(refusal({.threads = -1}).message, "threads is -1: expected 1 to 1024, or 0 for one per core");
    EXPECT_EQ(refusal({.threads = 1 << 30}).message, "threads is 1073741824: expected 1 to 1024, or 0 for one per core");
    const Error kernels = refusal({.kernels = "sse1"});
    EXPECT_EQ(kernels.code, Code::bad_argument);
    EXPECT_TRUE(kernels.message.starts_with("kernels 'sse1' cannot run here: this program has reference")) << kernels.message;
    for (int stop = 0; stop < 3; stop++) {
        int calls = 0;
        const Error cancelled = refusal({.threads = 1, .progress = [&](double fraction) {
                                             EXPECT_TRUE(fraction >= 0 && fraction <= 1);
                                             return calls++ < stop;
                                         }});
        EXPECT_EQ(cancelled.code, Code::cancelled);
    }
    EXPECT_EQ(Engine::load("/no/such/model").error().code, Code::not_found);
    EXPECT_EQ(Engine::load("").error().code, Code::not_found);
}

TEST_F(EngineContract, SaysWhatItIs) {
    const ModelInfo& i = engine_->info();
    EXPECT_EQ(i.container, "safetensors");
    EXPECT_EQ(i.family, "gemma3n");
    EXPECT_EQ(i.vocab, 288);
    EXPECT_EQ(i.n_kv_layers, 2);
    EXPECT_EQ(i.laurel_rank, 2);
    EXPECT_TRUE(i.has_tokenizer);
    EXPECT_EQ(i.eos, (std::vector<int>{1, 5}));
    EXPECT_EQ(i.kv_bytes_per_token_global, 2u * 4 * 4) << "one global layer, keys and values of 4 in f32";
    EXPECT_EQ(i.kv_bytes_windowed, 2u * 4096) << "one page of the system for 64 tokens, and one that a prompt keeps to be undone";
}

TEST_F(EngineContract, AModelWithoutTokenizerTakesOnlyIds) {
    std::filesystem::remove(dir_.path() + "/tokenizer.json");
    const auto e = load();
    ASSERT_TRUE(e);
    EXPECT_FALSE(e->info().has_tokenizer);
    auto s = *e->new_session();
    const std::string sentence = dir_.path() + ": carries no tokenizer: tokenizer.json is missing";
    EXPECT_EQ(e->tokenize("a").error().message, sentence);
    EXPECT_EQ(e->detokenize({1}).error().code, Code::not_found);
    EXPECT_EQ(e->encode_chat({{"user", "a"}}, true).error().message, sentence);
    EXPECT_EQ(s->complete("a", {}).error().message, sentence);
    EXPECT_EQ(s->chat("a", {}).error().message, sentence);
    const auto answer = s->generate(prompt_, {.max_tokens = 3});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->text, "");
}

TEST_F(EngineContract, ABrokenTokenizerIsAnErrorOfTheLoad) {
    std::ofstream(dir_.path() + "/tokenizer.json") << "{}";
    const auto e = Engine::load(dir_.path());
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().message, dir_.path() + "/tokenizer.json: has no model.vocab");
}

TEST_F(EngineContract, NewSessionRefusesOptionsThatCannotBeMeant) {
    EXPECT_EQ(engine_->new_session({.context_tokens = -1}).error().message, "context of -1 tokens: expected 1 or more, or 0 for the model's own 64");
    EXPECT_EQ(engine_->new_session({.context_tokens = 65}).error().message, "context of 65 tokens: the model was made for 64 at most");
    EXPECT_EQ(engine_->new_session({.chunk_tokens = 0}).error().message, "chunks of 0 tokens: expected 1 or more");
    EXPECT_EQ(session()->context_tokens(), 64);
    EXPECT_EQ(session({.context_tokens = 7})->context_tokens(), 7);
}

TEST_F(EngineContract, StepRefusesRowsThatCannotBeMeant) {
    auto s = session({.context_tokens = 3}), t = session();
    const auto other_engine = load();
    auto foreign = *other_engine->new_session();
    const auto refusal = [&](std::vector<StepRow> rows, Code code = Code::bad_argument) {
        const auto r = engine_->step(rows);
        EXPECT_FALSE(r);
        if (r) return std::string();
        EXPECT_EQ(r.error().code, code);
        EXPECT_EQ(engine_->trace(rows, {}, [](const TraceTensor&) {}).error().message, r.error().message);
        return r.error().message;
    };
    EXPECT_EQ(refusal({}), "a step without rows: expected at least one");
    EXPECT_EQ(refusal({{nullptr, 1}}), "row 0 of a step has no session: expected a session of this engine");
    EXPECT_EQ(refusal({{s.get(), 1}, {foreign.get(), 1}}), "row 1 of a step has another engine's session: expected a session of this engine");
    EXPECT_EQ(refusal({{s.get(), 1}, {t.get(), 1}, {s.get(), 1}}), "row 2 of a step comes back to an earlier session: expected each session's rows together");
    for (const int id : {-1, 288, 1 << 30}) EXPECT_EQ(refusal({{s.get(), 1}, {s.get(), id}}), "row 1 of a step has token id " + std::to_string(id) + ": expected 0 to 287");
    EXPECT_EQ(refusal({{s.get(), 1}, {s.get(), 1}, {s.get(), 1}, {s.get(), 1}}, Code::context_full), "the context is full: it has room for 3 tokens");
    EXPECT_EQ(engine_->trace(std::vector<StepRow>{{t.get(), 1}}, {}, {}).error().message, "a trace without a sink: expected somebody to take the tensors");
    EXPECT_EQ(s->n_tokens(), 0);
    EXPECT_EQ(t->n_tokens(), 0);
}

TEST_F(EngineContract, LogitsAreThoseOfTheRowsThatAsked) {
    auto s = session(), t = session();
    std::vector<StepRow> rows;
    for (size_t i = 0; i < prompt_.size(); i++) rows.push_back({s.get(), prompt_[i], nullptr, i + 1 == prompt_.size()});
    for (const int id : {2, 9}) rows.push_back({t.get(), id, nullptr, false});
    const auto l = engine_->step(rows);
    ASSERT_TRUE(l) << l.error().message;
    ASSERT_EQ(l->n, 1);
    ASSERT_EQ(l->vocab, 288);
    const std::vector<float> logits(l->row(0).begin(), l->row(0).end());  // valid until the next step
    EXPECT_EQ(logits, alone(prompt_));
    EXPECT_EQ(s->n_tokens(), static_cast<int64_t>(prompt_.size()));
    EXPECT_EQ(t->n_tokens(), 2);
    const auto none = engine_->step(std::vector<StepRow>{{t.get(), 3}});
    ASSERT_TRUE(none);
    EXPECT_EQ(none->n, 0);
    EXPECT_EQ(t->n_tokens(), 3);
}

TEST_F(EngineContract, AnEmbeddingStandsForATokensRow) {
    auto s = session();
    const std::vector<float> embedding(8, 0.5f);
    const auto l = engine_->step(std::vector<StepRow>{{s.get(), -7, embedding.data(), true}});
    ASSERT_TRUE(l) << l.error().message;
    EXPECT_EQ(s->n_tokens(), 1);
}

TEST_F(EngineContract, SessionsKeepTheirEngineAlive) {
    auto s = session();
    const auto expected = alone(prompt_);
    const std::weak_ptr<Engine> watch = engine_;
    engine_.reset();
    EXPECT_FALSE(watch.expired());
    EXPECT_EQ(copy(s->append(prompt_)), expected);
    auto fork = *s->fork();
    s.reset();
    EXPECT_TRUE(fork->append(prompt_));
    fork.reset();
    EXPECT_TRUE(watch.expired());
}

TEST_F(EngineContract, ManySessionsInThreadsAtOnce) {
    const std::vector<int> more = {7, 8, 9, 10, 11};
    const auto expected_first = alone(prompt_), expected_second = alone(joined(prompt_, more));
    auto trunk = session();
    ASSERT_TRUE(trunk->append(prompt_));
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; t++) {
        auto fork = t % 2 ? std::move(*trunk->fork()) : nullptr;
        threads.emplace_back([&, fork = std::move(fork)] {
            for (int i = 0; i < 10; i++) {
                auto s = session({.chunk_tokens = 3});
                const auto first = s->append(prompt_);  // stays good while others step
                std::this_thread::yield();
                EXPECT_EQ(copy(first), expected_first);
                EXPECT_EQ(copy(s->append(more)), expected_second);
                if (!fork) continue;
                EXPECT_EQ(copy(fork->append(more)), expected_second);
                EXPECT_TRUE(fork->rollback(static_cast<int64_t>(prompt_.size())));
            }
        });
    }
    for (auto& t : threads) t.join();
    EXPECT_EQ(copy(trunk->append(more)), expected_second);
}

}  // namespace
}  // namespace gemma3n::test
