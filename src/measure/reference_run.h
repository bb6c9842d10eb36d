// A reference run of a perplexity: the log-probabilities of a whole vocabulary at every scored position, 16 bit each, in the file
// that llama.cpp's perplexity program writes and reads for its KL divergence, and behind it, where llama.cpp does not look, the exact
// log-likelihoods of the text, which 16 bit cannot hold for very improbable tokens. docs/measure.md describes it.
#pragma once

#include "base/file.h"
#include "base/result.h"
#include "base/output_file.h"
#include "measure/log_prob.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gemma3n::measure {

struct ReferenceHeader {
    int64_t n_ctx = 0, vocab = 0, n_windows = 0;
    std::vector<int> ids;      // [n_windows * n_ctx], as tokenized
};

class ReferenceWriter {
public:
    Status open(const std::string& path, const ReferenceHeader& header);
    Status add(std::span<const float> logits, const RowSummary& summary, double nll);  // nll: of the token that follows in the text
    Status close();

private:
    OutputFile file_;
    std::vector<uint16_t> row_;
    std::vector<float> nll_;
};

class ReferenceReader {
public:
    Status open(const std::string& path);
    const ReferenceHeader& header() const { return header_; }

    struct Row {
        float scale = 0, lowest = 0;      // log p = lowest + scale * code
        std::span<const uint16_t> codes;  // [vocab]
        float log_prob(size_t i) const { return lowest + scale * static_cast<float>(codes[i]); }
    };
    // The next scored position; valid until the next call.
    Result<Row> next();
    // Its -log p of the token that follows in the text: exact, or what the row says in a file of llama.cpp's.
    double nll(const Row& row, int target) const { return nll_.empty() ? -row.log_prob(static_cast<size_t>(target)) : nll_[done_ - 1]; }

private:
    std::shared_ptr<File> file_;
    ReferenceHeader header_;
    uint64_t at_ = 0, done_ = 0;  // bytes, rows
    std::vector<uint16_t> row_;
    std::vector<float> nll_;      // of every row, or empty
};

}  // namespace gemma3n::measure
