// Questions to the tiny model: the choice is the one that a computation from single steps makes, answers are greedy.
#include "measure/eval.h"

#include "runtime/engine_impl.h"
#include "runtime/tiny_engine.h"
#include "synth/synth.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace gemma3n::measure {
namespace {

class TinyEval : public test::TinyEngine {
protected:
    double log_probability(const std::string& prompt, const std::string& choice) const {
        const std::vector<int> before = *engine_->tokenize(prompt), all = *engine_->tokenize(prompt + choice);
        double sum = 0;
        for (size_t i = before.size(); i < all.size(); i++) {
            const std::vector<float> l = alone({all.begin(), all.begin() + static_cast<int64_t>(i)});
            double z = 0;
            for (const float x : l) z += std::exp(static_cast<double>(x));
            sum += l[static_cast<size_t>(all[i])] - std::log(z);
        }
        return sum;
    }
    Result<std::vector<TaskScore>> ask(const std::vector<Question>& q) {
        const EvalSize whole[] = {{*engine_->find_size("full"), std::nullopt, 0}};
        auto scores = evaluate(*engine_, q, whole, {});
        if (!scores) return scores.error();
        EXPECT_EQ(scores->size(), 1u);
        return std::move(scores->front());
    }
};

TEST_F(TinyEval, TheMostProbableChoiceWholeAndPerByte) {
    const std::string prompt = "the cat";
    const std::vector<std::string> choices = {" the the", "1", " a", " hen"};
    size_t best = 0, per_byte = 0;
    std::vector<double> sums, shares;
    for (const auto& c : choices) {
        sums.push_back(log_probability(prompt, c));
        shares.push_back(sums.back() / static_cast<double>(c.size()));
    }
    best = static_cast<size_t>(std::max_element(sums.begin(), sums.end()) - sums.begin());
    per_byte = static_cast<size_t>(std::max_element(shares.begin(), shares.end()) - shares.begin());
    ASSERT_NE(best, per_byte) << "the case tells the two apart";
    for (size_t right = 0; right < choices.size(); right++) {
        const auto s = ask({{.task = "t", .prompt = prompt, .answers = choices, .right = static_cast<int64_t>(right)}});
        ASSERT_TRUE(s) << s.error().message;
        ASSERT_EQ(s->size(), 1u);
        EXPECT_EQ((*s)[0].right, right == best);
        EXPECT_EQ((*s)[0].right_per_byte, right == per_byte);
    }
}

TEST_F(TinyEval, ExactAnswersAreGreedyAndTrimmed) {
    auto s = session();
    GenerateOptions greedy;
    greedy.sampling.temperature = 0;
    greedy.max_tokens = 6;
    std::string text = s->complete("the cat", greedy)->text;
    text = text.substr(0, text.find('\n', text.find_first_not_of(" \n")));
    const size_t begin = text.find_first_not_of(" \n"), end = text.find_last_not_of(" \n");
    ASSERT_NE(begin, std::string::npos);
    const std::string trimmed = text.substr(begin, end - begin + 1);
    Question q{.task = "t", .type = QuestionType::exact, .prompt = "the cat", .answers = {"nothing like it", " " + trimmed + "\n"}, .max_tokens = 6};
    EXPECT_EQ((*ask({q}))[0].right, 1);
    q.answers = {trimmed + "x"};
    EXPECT_EQ((*ask({q}))[0].right, 0);
}

TEST_F(TinyEval, TasksInOrderOfAppearance) {
    const Question choice{.task = "b", .prompt = "the", .answers = {" cat", " hen"}}, exact{.task = "a", .type = QuestionType::exact, .prompt = "the", .answers = {"no"}, .max_tokens = 1};
    Question mixed = exact;
    mixed.task = "b";
    const auto s = ask({choice, exact, mixed, choice});
    ASSERT_TRUE(s);
    ASSERT_EQ(s->size(), 3u);
    EXPECT_EQ((*s)[0].n, 2);
    EXPECT_EQ((*s)[1].task, "a");
    EXPECT_EQ((*s)[2].type, QuestionType::exact);
}

// A model with sizes; what is expected of them is made token by token.
class Sized : public testing::Test {
protected:
    static constexpr int64_t n_tokens = 8;

    void SetUp() override {
        const std::string path = dir_.path() + "/elastic.gguf";
        const Status made = synth::write_gguf(*synth::find_shape("elastic"), *format::mix_from_name("q8_0"), path, {.seed = 3});
        ASSERT_TRUE(made) << made.error().message;
        auto e = Engine::load(path, {.threads = 1, .activations = Activations::f32});
        ASSERT_TRUE(e) << e.error().message;
        engine_ = *e;
    }
    Slice slice(const std::string& name) const { return *engine_->find_size(name); }
    EvalSize alone(const std::string& name) const { return {slice(name), std::nullopt, 0}; }
    EvalSize changing(const std::string& from, const std::string& to, int64_t after) const { return {slice(from), slice(to), after}; }

    // The size that makes token number i of an answer.
    static const Slice& maker(const EvalSize& size, int64_t i) { return size.answer && i >= size.switch_after ? *size.answer : size.prompt; }

    // A session that has read all of a prompt but its last token.
    std::unique_ptr<Session> begun(const EvalSize& size, const std::vector<int>& prompt) const {
        auto s = *engine_->new_session();
        EXPECT_TRUE(s->set_size(size.prompt));
        EXPECT_TRUE(s->append(std::span(prompt).first(prompt.size() - 1)));
        return s;
    }
    // A call for each token, the size set anew before it.
    std::string greedy(const EvalSize& size, const std::string& prompt) const {
        const std::vector<int> ids = *engine_->encode_chat({{"user", prompt}}, true);
        const auto s = begun(size, ids);
        tokens::Detokenizer text_of(*engine_->impl().tokenizer);
        std::string text;
        GenerateOptions one;
        one.sampling.temperature = 0;
        one.max_tokens = 1;
        for (int64_t i = 0; i < n_tokens; i++) {
            EXPECT_TRUE(s->set_size(maker(size, i)));
            const auto a = s->generate(i == 0 ? std::span(ids).last(1) : std::span<const int>(), one);
            EXPECT_TRUE(a) << a.error().message;
            if (!a || a->ids.empty()) break;
            text += text_of.add(a->ids[0]);
        }
        text += text_of.finish();
        const size_t begin = text.find_first_not_of(" \t\r\n"), end = text.find_last_not_of(" \t\r\n");
        return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
    }
    double log_probability(const EvalSize& size, const std::string& prompt, const std::string& choice) const {
        std::vector<int> ids = *engine_->encode_chat({{"user", prompt}}, true);
        const std::vector<int> more = *engine_->tokenize(choice, {.add_bos = false});
        const auto s = begun(size, ids);
        ids.erase(ids.begin(), ids.end() - 1);
        ids.insert(ids.end(), more.begin(), more.end());
        double sum = 0;
        for (size_t i = 0; i < more.size(); i++) {
            EXPECT_TRUE(s->set_size(maker(size, static_cast<int64_t>(i))));
            const auto l = s->append(std::span(ids).subspan(i, 1));
            double z = 0;
            for (const float x : *l) z += std::exp(static_cast<double>(x));
            sum += (*l)[static_cast<size_t>(ids[i + 1])] - std::log(z);
        }
        return sum;
    }

    test::CheckpointDir dir_;
    std::shared_ptr<Engine> engine_;
};

TEST_F(Sized, EachAnswersItsOwnWay) {
    const std::vector<EvalSize> sizes = {alone("full"), alone("small"), changing("full", "small", 0), changing("full", "small", 1), changing("full", "small", 3), changing("small", "full", 2)};
    std::vector<Question> questions;
    std::vector<std::vector<std::string>> answers(sizes.size());
    for (const char* prompt : {"a b c", "the cat", "what is that", "one two"}) {
        for (size_t k = 0; k < sizes.size(); k++) {
            answers[k].push_back(greedy(sizes[k], prompt));
            ASSERT_NE(answers[k].back(), "") << prompt;
            questions.push_back({.task = std::to_string(k), .type = QuestionType::exact, .prompt = prompt, .answers = {answers[k].back()}, .max_tokens = n_tokens, .chat = true});
        }
    }
    const auto scores = evaluate(*engine_, questions, sizes, {});
    ASSERT_TRUE(scores) << scores.error().message;
    for (size_t k = 0; k < sizes.size(); k++) {
        for (size_t other = 0; other < sizes.size(); other++) {
            int64_t same = 0;
            for (size_t i = 0; i < answers[k].size(); i++) same += answers[k][i] == answers[other][i];
            EXPECT_EQ((*scores)[k][other].right, same) << sizes[k].name() << " where " << sizes[other].name() << " is right";
            EXPECT_TRUE(k == other || same < 4) << sizes[k].name() << " and " << sizes[other].name() << ": the case tells them apart";
        }
    }
}

TEST_F(Sized, AChoiceIsWeighedByThem) {
    const std::vector<EvalSize> sizes = {alone("full"), alone("small"), changing("full", "small", 0), changing("full", "small", 1), changing("full", "small", 3)};
    const std::vector<std::string> choices = {" b d", " the cat", " c e", " x y", " f g", " is in"};  // three tokens each
    std::vector<std::vector<int64_t>> best(sizes.size());
    std::vector<Question> questions;
    for (const char* prompt : {"a b c", "where", "say it"}) {
        for (size_t k = 0; k < sizes.size(); k++) {
            std::vector<double> sums;
            for (const std::string& c : choices) sums.push_back(log_probability(sizes[k], prompt, c));
            best[k].push_back(std::max_element(sums.begin(), sums.end()) - sums.begin());
        }
        questions.push_back({.task = "t", .prompt = prompt, .answers = choices, .right = best[0].back(), .chat = true});
    }
    for (size_t by = 0; by < sizes.size(); by++) {  // what one would choose, held against all
        for (size_t i = 0; i < questions.size(); i++) questions[i].right = best[by][i];
        const auto scores = evaluate(*engine_, questions, sizes, {});
        ASSERT_TRUE(scores) << scores.error().message;
        for (size_t k = 0; k < sizes.size(); k++) {
            int64_t same = 0;
            for (size_t i = 0; i < questions.size(); i++) same += best[k][i] == best[by][i];
            EXPECT_EQ((*scores)[k][0].right, same) << sizes[k].name() << " by " << sizes[by].name();
        }
    }
    EXPECT_NE(best[0], best[1]) << "the case tells them apart";
    EXPECT_NE(best[1], best[2]);
    EXPECT_NE(best[2], best[3]);
    EXPECT_EQ(best[0], best[4]) << "no choice is as long as that";
}

TEST_F(Sized, AnotherCacheIsRefusedBeforeAnythingIsAsked) {
    Slice headless = slice("full");  // without layer 0, which owns keys and values and whose nobody else reads
    headless.name = "headless";
    headless.layers.erase(headless.layers.begin());
    headless.ff.erase(headless.ff.begin());
    const Question q{.task = "t", .type = QuestionType::exact, .prompt = "p", .answers = {"a"}, .max_tokens = 2, .chat = true};
    const EvalSize sizes[] = {alone("full"), {headless, std::nullopt, 0}, alone("small")};
    EXPECT_TRUE(evaluate(*engine_, {&q, 1}, sizes, {})) << "one after the other they have caches of their own";
    const EvalSize change[] = {{slice("full"), headless, 1}};
    const auto refused = evaluate(*engine_, {&q, 1}, change, [](double) -> bool { throw "a question was asked"; });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::bad_argument);
    EXPECT_EQ(refused.error().message,
              "size 'headless' cannot go on where size 'full' has read the prompt: expected two that keep the same of the layers that own keys and values (docs/elastic.md)");
}

TEST_F(Sized, NamesAndCancelling) {
    EXPECT_EQ(alone("small").name(), "small");
    EXPECT_EQ(changing("full", "small", 0).name(), "full>small");
    EXPECT_EQ(changing("full", "small", 4).name(), "full>small@4");
    const Question q{.task = "t", .type = QuestionType::exact, .prompt = "p", .answers = {"a"}, .max_tokens = 1};
    const std::vector<Question> two = {q, q};
    const EvalSize sizes[] = {alone("full"), alone("small")};
    std::vector<double> seen;
    ASSERT_TRUE(evaluate(*engine_, two, sizes, [&](double done) { return seen.push_back(done), true; }));
    EXPECT_EQ(seen, (std::vector<double>{0, 0.25, 0.5, 0.75}));
    const auto cancelled = evaluate(*engine_, two, sizes, [](double done) { return done < 0.75; });
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().message, "the questions were cancelled after 1 of 2");
}

}  // namespace
}  // namespace gemma3n::measure
