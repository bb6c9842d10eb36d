// Reference runs: bytes as llama.cpp lays them out, written and read, and files that are something else.
#include "measure/reference_run.h"

#include "base/temporary_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

namespace gemma3n::measure {
namespace {

constexpr int64_t vocab = 7, n_ctx = 8, n_scored = 3;

std::vector<float> logits(int row) {
    std::vector<float> v(vocab);
    for (int i = 0; i < vocab; i++) v[static_cast<size_t>(i)] = static_cast<float>((i * 5 + row * 3) % 7) - 2;
    v[static_cast<size_t>(row)] = -40;  // deeper than is stored
    return v;
}

std::string written() {
    const test::TemporaryFile file("");
    ReferenceWriter w;
    ReferenceHeader h{n_ctx, vocab, 1, {2, 1, 4, 3, 6, 5, 0, 1}};
    EXPECT_TRUE(w.open(file.path(), h));
    for (int r = 0; r < n_scored; r++) EXPECT_TRUE(w.add(logits(r), summarise(logits(r)), 20.5 + r));
    EXPECT_TRUE(w.close());
    std::ifstream in(file.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

template <class T>
T at(const std::string& bytes, size_t offset) {
    T v;
    memcpy(&v, bytes.data() + offset, sizeof v);
    return v;
}

TEST(ReferenceRun, BytesAreLaidOutAsLlamaCppReadsThem) {
    const std::string b = written();
    ASSERT_EQ(b.size(), 8 + 3 * 4 + 8 * 4 + n_scored * 12 * 2u + n_scored * 4) << "a row is 4 + 7 cells, padded to an even number";
    EXPECT_EQ(b.substr(0, 8), "_logits_");
    EXPECT_EQ(at<int32_t>(b, 8), n_ctx);
    EXPECT_EQ(at<int32_t>(b, 12), vocab);
    EXPECT_EQ(at<int32_t>(b, 16), 1);
    EXPECT_EQ(at<int32_t>(b, 20 + 4 * 4), 6);
    const size_t row = 52 + 24;  // the second
    const float scale = at<float>(b, row), low = at<float>(b, row + 4);
    const std::vector<float> l = logits(1);
    double sum = 0;
    for (const float x : l) sum += std::exp(x);
    for (size_t i = 0; i < l.size(); i++) {
        const double log_p = std::max<double>(l[i], 4 - 16) - std::log(sum);
        EXPECT_NEAR(low + scale * at<uint16_t>(b, row + 8 + 2 * i), log_p, 16.0 / 65535) << i;
    }
}

TEST(ReferenceRun, ReadsWhatWasWritten) {
    const test::TemporaryFile file(written());
    ReferenceReader r;
    ASSERT_TRUE(r.open(file.path()));
    EXPECT_EQ(r.header().n_ctx, n_ctx);
    EXPECT_EQ(r.header().ids[2], 4);
    for (int i = 0; i < n_scored; i++) {
        const auto row = r.next();
        ASSERT_TRUE(row);
        const RowSummary s = summarise(logits(i));
        EXPECT_EQ(row->codes[static_cast<size_t>(s.best)], 65535);
        EXPECT_NEAR(row->log_prob(static_cast<size_t>(s.best)), s.max - s.log_sum_exp, 1e-5);
        EXPECT_EQ(row->codes[static_cast<size_t>(i)], 0);
        EXPECT_EQ(r.nll(*row, i), 20.5 + i) << "deeper than a code can be";
    }
}

TEST(ReferenceRun, ReadsWhatLlamaCppWrote) {
    const std::string all = written();
    const test::TemporaryFile file(all.substr(0, all.size() - n_scored * 4));
    ReferenceReader r;
    ASSERT_TRUE(r.open(file.path()));
    const auto row = r.next();
    ASSERT_TRUE(row);
    EXPECT_EQ(r.nll(*row, 3), -row->log_prob(3));
    ASSERT_TRUE(r.next());
    ASSERT_TRUE(r.next());
    EXPECT_FALSE(r.next());
}

TEST(ReferenceRun, FilesThatAreSomethingElse) {
    const std::string good = written();
    const auto refused = [](const std::string& bytes) {
        const test::TemporaryFile file(bytes);
        ReferenceReader r;
        const Status s = r.open(file.path());
        return s ? "" : s.error().message.substr(file.path().size());
    };
    const auto with = [&](size_t offset, int32_t value) {
        std::string b = good;
        memcpy(b.data() + offset, &value, 4);
        return b;
    };
    EXPECT_EQ(refused("short"), ": has 5 bytes: expected a reference run that perplexity --save wrote");
    EXPECT_EQ(refused("X" + good.substr(1)), ": does not begin with _logits_: expected a reference run that perplexity --save wrote");
    EXPECT_EQ(refused(with(16, -1)), ": states -1 windows of 8 tokens over a vocabulary of 7: expected a reference run that perplexity --save wrote");
    EXPECT_EQ(refused(good.substr(0, good.size() - 1)), ": has 135 bytes, which is not the size of 1 windows of 8 tokens over a vocabulary of 7");
    for (const size_t offset : {8, 12, 16}) EXPECT_NE(refused(with(offset, 0x7fffffff)), "") << "sizes whose product would wrap";
    EXPECT_EQ(refused(good), "");
    EXPECT_EQ(refused(with(good.size() - 4, 0x7fc00000)), ": has a log-likelihood that is nan: expected finite numbers");
    const test::TemporaryFile broken(with(52, 0x7fc00000));  // a scale that is no number
    ReferenceReader r;
    ASSERT_TRUE(r.open(broken.path()));
    EXPECT_FALSE(r.next());
}

}  // namespace
}  // namespace gemma3n::measure
