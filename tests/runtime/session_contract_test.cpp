// What include/gemma3n/session.h promises: generation ends as it says, nothing is lost when it cannot go on, the past can be
// shared, shortened and dropped.
#include "runtime/tiny_engine.h"

#include <filesystem>
#include <fstream>

namespace gemma3n::test {
namespace {

using SessionContract = TinyEngine;

const SamplingOptions greedy{.temperature = 0};
GenerateOptions some(int64_t n) { return {.sampling = greedy, .max_tokens = n, .stop_at_eos = false}; }

TEST_F(SessionContract, RefusesWhatCannotBeMeant) {
    auto s = session({.context_tokens = 10});
    EXPECT_EQ(s->generate(std::vector<int>{}, {}).error().message, "no tokens to process: expected at least one");
    EXPECT_EQ(s->append(std::vector<int>{}).error().code, Code::bad_argument);
    const int bad[] = {2, 288}, negative[] = {-1};
    EXPECT_EQ(s->append(bad).error().message, "token id 288: expected 0 to 287");
    EXPECT_EQ(s->generate(negative, {}).error().message, "token id -1: expected 0 to 287");
    const auto full = s->append(std::vector<int>(11, 3));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Code::context_full);
    EXPECT_EQ(full.error().message, "11 tokens do not fit: the context has room for 10");
    for (const SamplingOptions& o : {SamplingOptions{.temperature = NAN}, SamplingOptions{.temperature = -1}, SamplingOptions{.top_k = -1}, SamplingOptions{.top_p = NAN}, SamplingOptions{.top_p = 1.5f},
                                     SamplingOptions{.min_p = -0.5f}, SamplingOptions{.min_p = 2}}) {
        const auto a = s->generate(prompt_, {.sampling = o});
        ASSERT_FALSE(a);
        EXPECT_EQ(a.error().code, Code::bad_argument);
    }
    EXPECT_EQ(s->generate(prompt_, {.max_tokens = -2}).error().message, "-2 tokens at most: expected 0 or more, or -1 for no limit");
    EXPECT_EQ(s->n_tokens(), 0);
}

TEST_F(SessionContract, TokensAreCountedWhenTheirKeysAreInTheCache) {
    auto s = session();
    const auto a = s->generate(prompt_, some(5));
    ASSERT_TRUE(a) << a.error().message;
    EXPECT_EQ(a->finish, Finish::max_tokens);
    EXPECT_EQ(a->ids.size(), 5u);
    EXPECT_EQ(a->timing.prompt_tokens, 7);
    EXPECT_EQ(a->timing.generated_tokens, 5);
    EXPECT_EQ(s->n_tokens(), 11) << "the last one is not in the cache yet";
    EXPECT_EQ(copy(s->append(std::vector<int>{9})), alone(joined(joined(prompt_, a->ids), {9}))) << "it is put there by the next call";
    EXPECT_EQ(s->n_tokens(), 13);
}

TEST_F(SessionContract, AnAnswerMayBeContinued) {
    auto whole = session(), parts = session();
    const auto expected = whole->generate(prompt_, some(9))->ids;
    std::vector<int> got = parts->generate(prompt_, some(4))->ids;
    got = joined(got, parts->generate(std::vector<int>{}, some(5))->ids);
    EXPECT_EQ(got, expected);
}

TEST_F(SessionContract, NoTokensAtAll) {
    auto s = session();
    bool called = false;
    GenerateOptions o = some(0);
    o.on_text = [&](const std::string&, int) { return called = true; };
    const auto a = s->generate(prompt_, o);
    ASSERT_TRUE(a);
    EXPECT_EQ(a->finish, Finish::max_tokens);
    EXPECT_TRUE(a->ids.empty());
    EXPECT_FALSE(called);
    EXPECT_EQ(s->n_tokens(), 7);
}

TEST_F(SessionContract, AFullContextLosesNothing) {
    auto s = session({.context_tokens = 10});
    const auto a = s->generate(prompt_, some(-1));
    ASSERT_TRUE(a) << a.error().message;
    EXPECT_EQ(a->finish, Finish::context_full);
    EXPECT_EQ(a->ids.size(), 4u) << "three in the cache and one that has no room";
    EXPECT_EQ(s->n_tokens(), 10);
    EXPECT_EQ(a->ids, session()->generate(prompt_, some(4))->ids);
    for (int i = 0; i < 2; i++) {
        const auto again = s->generate(std::vector<int>{3}, some(1));
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().code, Code::context_full);
        EXPECT_EQ(s->append(std::vector<int>{3}).error().code, Code::context_full);
        EXPECT_EQ(s->n_tokens(), 10);
    }
    ASSERT_TRUE(s->rollback(7));
    EXPECT_EQ(s->generate(std::vector<int>{9}, some(1))->ids, session()->generate(joined(prompt_, {9}), some(1))->ids);
}

TEST_F(SessionContract, CancelInPrefillLeavesTheSessionAsBefore) {
    for (const int64_t chunk : {2, 512}) {
        auto s = session({.chunk_tokens = chunk});
        const auto first = s->generate(prompt_, some(2));
        ASSERT_TRUE(first);
        const int64_t n = s->n_tokens();
        const auto after = [&](int calls) { return [calls](int64_t, int64_t) mutable { return calls-- > 0; }; };
        for (const int calls : {0, 1, 2}) {
            if (calls > 0 && chunk == 512) continue;  // one chunk, one question
            GenerateOptions o = some(3);
            o.prefill_progress = after(calls);
            const auto a = s->generate(std::vector<int>{9, 10, 11, 12, 13}, o);
            ASSERT_TRUE(a) << a.error().message;
            EXPECT_EQ(a->finish, Finish::cancelled);
            EXPECT_TRUE(a->ids.empty());
            EXPECT_EQ(s->n_tokens(), n);
            EXPECT_EQ(s->append(std::vector<int>{9, 10, 11, 12, 13}, after(calls)).error().code, Code::cancelled);
            EXPECT_EQ(s->n_tokens(), n);
        }
        EXPECT_EQ(copy(s->append(std::vector<int>{9})), alone(joined(joined(prompt_, first->ids), {9}))) << "the token that was pending is not lost";
    }
}

TEST_F(SessionContract, CancelWhileTextArrives) {
    auto s = session();
    GenerateOptions o = some(9);
    std::vector<int> seen;
    std::string text;
    o.on_text = [&](const std::string& t, int id) {
        text += t;
        if (seen.size() < 3) seen.push_back(id);
        return seen.size() < 3;
    };
    const auto a = s->generate(prompt_, o);
    ASSERT_TRUE(a);
    EXPECT_EQ(a->finish, Finish::cancelled);
    EXPECT_EQ(a->ids, seen);
    EXPECT_EQ(a->text, text);
    EXPECT_EQ(copy(s->append(std::vector<int>{9})), alone(joined(joined(prompt_, seen), {9})));
}

TEST_F(SessionContract, NobodyIsCalledAfterHavingSaidStop) {
    for (uint64_t seed = 0; seed < 60; seed++) {  // some of them stop inside a character
        bool stopped = false;
        int calls = 0;
        GenerateOptions o{.sampling = {.temperature = 100, .top_k = 0, .top_p = 1, .seed = seed}, .max_tokens = 20, .stop_at_eos = false};
        o.on_text = [&](const std::string&, int) {
            EXPECT_FALSE(stopped);
            stopped = ++calls == 5;
            return !stopped;
        };
        ASSERT_TRUE(session()->generate(prompt_, o));
    }
}

TEST_F(SessionContract, WeightsThatAreNoNumbersGiveNoAnswer) {
    const std::string path = dir_.path() + "/model.safetensors";
    std::fstream f(path, std::ios::in | std::ios::out | std::ios::binary);
    uint64_t header = 0;
    f.read(reinterpret_cast<char*>(&header), 8);
    f.seekp(static_cast<std::streamoff>(8 + header));
    f << std::string(std::filesystem::file_size(path) - 8 - header, '\xFF') << std::flush;  // NaN in every type
    const auto a = (*load()->new_session())->generate(prompt_, some(3));
    ASSERT_FALSE(a);
    EXPECT_EQ(a.error().code, Code::bad_file);
    EXPECT_EQ(a.error().message, dir_.path() + ": no token's logit after 7 tokens is a number: its weights, or what they make, are not finite");
}

// The step would have put its rows where the generated token belongs.
TEST_F(SessionContract, AStepDoesNotPassOverAGeneratedToken) {
    auto s = session();
    const auto a = s->generate(prompt_, some(3));
    ASSERT_TRUE(a);
    const StepRow row[] = {{s.get(), 9, nullptr, true}};
    const auto refused = engine_->step(row);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::bad_argument);
    ASSERT_TRUE(s->append(std::vector<int>{}));
    const auto l = engine_->step(row);
    ASSERT_TRUE(l) << l.error().message;
    const std::vector<float> got(l->row(0).begin(), l->row(0).end());
    EXPECT_EQ(got, alone(joined(joined(prompt_, a->ids), {9})));
}

TEST_F(SessionContract, EqualSeedsGiveEqualAnswers) {
    const auto answer = [&](uint64_t seed) { return session()->generate(prompt_, {.sampling = {.temperature = 3, .top_k = 0, .top_p = 1, .seed = seed}, .max_tokens = 20, .stop_at_eos = false})->ids; };
    EXPECT_EQ(answer(1), answer(1));
    EXPECT_NE(answer(1), answer(2));
}

TEST_F(SessionContract, ForksShareThePastAndNothingElse) {
    auto a = session();
    const auto first = a->generate(prompt_, some(3));
    ASSERT_TRUE(first);
    auto fork = a->fork();
    ASSERT_TRUE(fork);
    auto b = std::move(*fork);
    EXPECT_EQ(b->n_tokens(), a->n_tokens());
    EXPECT_EQ(b->context_tokens(), a->context_tokens());
    const std::vector<int> past = joined(prompt_, first->ids);
    EXPECT_EQ(copy(a->append(std::vector<int>{20, 21, 22, 23, 24})), alone(joined(past, {20, 21, 22, 23, 24})));
    EXPECT_EQ(copy(b->append(std::vector<int>{30, 31})), alone(joined(past, {30, 31})));
    a.reset();
    EXPECT_EQ(copy(b->append(std::vector<int>{32})), alone(joined(past, {30, 31, 32})));
}

TEST_F(SessionContract, RollbackDropsTheTailAndThePendingToken) {
    auto s = session();
    const auto first = s->generate(prompt_, some(6));
    ASSERT_TRUE(first);
    EXPECT_EQ(s->rollback(13).error().code, Code::bad_argument);
    EXPECT_EQ(s->rollback(-1).error().code, Code::bad_argument);
    EXPECT_EQ(s->n_tokens(), 12);
    ASSERT_TRUE(s->rollback(9));
    EXPECT_EQ(s->n_tokens(), 9);
    const std::vector<int> kept(first->ids.begin(), first->ids.begin() + 2);
    EXPECT_EQ(copy(s->append(std::vector<int>{9})), alone(joined(joined(prompt_, kept), {9})));
    s->clear();
    EXPECT_EQ(s->n_tokens(), 0);
    EXPECT_EQ(copy(s->append(prompt_)), alone(prompt_));
}

// The end of the model's turn was put in front of <bos>.
TEST_F(SessionContract, AChatThatWasRolledBackToItsStartBeginsAnew) {
    auto s = session();
    const auto first = s->chat("hello", some(3), "a");
    ASSERT_TRUE(first) << first.error().message;
    const auto again = [&] { return s->chat("hello", some(3), "a"); };
    ASSERT_FALSE(again()) << "a system text belongs at the start";
    for (const bool clear : {false, true}) {
        if (clear) s->clear();
        else ASSERT_TRUE(s->rollback(0));
        const auto a = again();
        ASSERT_TRUE(a) << a.error().message;
        EXPECT_EQ(a->ids, first->ids);
        EXPECT_EQ(a->timing.prompt_tokens, first->timing.prompt_tokens);
    }
}

TEST_F(SessionContract, ChatIsTheTurnFormat) {
    auto s = session();
    const auto a = s->chat("hello", some(2));
    ASSERT_TRUE(a);
    std::vector<int> past = *engine_->encode_chat({{"user", "hello"}}, true);
    EXPECT_EQ(a->timing.prompt_tokens, static_cast<int64_t>(past.size()));
    const auto b = s->chat("user", some(1));
    ASSERT_TRUE(b) << b.error().message;
    past = joined(joined(past, a->ids), {5, 6});  // the model's turn ends, and a new line begins
    const std::vector<int> turn = *engine_->encode_chat({{"user", "user"}}, true);
    past.insert(past.end(), turn.begin() + 1, turn.end());
    EXPECT_EQ(b->ids, session()->generate(past, some(1))->ids);
}

}  // namespace
}  // namespace gemma3n::test
