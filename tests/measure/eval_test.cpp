// Questions to the tiny model: the choice is the one that a computation from single steps makes, answers are greedy.
#include "measure/eval.h"

#include "runtime/tiny_engine.h"

#include <cmath>

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
    Result<std::vector<TaskScore>> ask(const std::vector<Question>& q) { return evaluate(*engine_, q, {}); }
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

}  // namespace
}  // namespace gemma3n::measure
