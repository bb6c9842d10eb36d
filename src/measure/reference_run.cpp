#include "measure/reference_run.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace gemma3n::measure {

namespace {

constexpr char magic[8] = {'_', 'l', 'o', 'g', 'i', 't', 's', '_'};
constexpr int64_t row_head = 4;      // two floats, as uint16 cells
constexpr float deepest = 16;        // log-probabilities this far below the best one are stored as the lowest
constexpr float codes_max = 65535;

int64_t row_cells(int64_t vocab) { return (vocab + 1) / 2 * 2 + row_head; }

struct Head {
    char magic[8];
    int32_t n_ctx, vocab, n_windows;
};
static_assert(sizeof(Head) == 20);

}  // namespace

Status ReferenceWriter::open(const std::string& path, const ReferenceHeader& h) {
    TRY(file_.open(path));
    Head head{{}, static_cast<int32_t>(h.n_ctx), static_cast<int32_t>(h.vocab), static_cast<int32_t>(h.n_windows)};
    memcpy(head.magic, magic, sizeof magic);
    TRY(file_.write(&head, sizeof head));
    row_.assign(static_cast<size_t>(row_cells(h.vocab)), 0);
    return file_.write(h.ids.data(), h.ids.size() * sizeof(int32_t));
}

Status ReferenceWriter::add(std::span<const float> logits, const RowSummary& s, double nll) {
    nll_.push_back(static_cast<float>(nll));
    const float low = std::max(s.min, s.max - deepest), scale = (s.max - low) / codes_max;
    const float head[2] = {scale, static_cast<float>(low - s.log_sum_exp)};
    memcpy(row_.data(), head, sizeof head);
    const float inverse = scale > 0 ? 1 / scale : 0;
    uint16_t* codes = row_.data() + row_head;
    for (size_t i = 0; i < logits.size(); i++) {
        const float above = (logits[i] > low ? logits[i] - low : 0) * inverse + 0.5f;
        codes[i] = static_cast<uint16_t>(static_cast<int32_t>(above < codes_max ? above : codes_max));
    }
    return file_.write(row_.data(), row_.size() * sizeof(uint16_t));
}

Status ReferenceWriter::close() {
    TRY(file_.write(nll_.data(), nll_.size() * sizeof(float)));
    return file_.close();
}

Status ReferenceReader::open(const std::string& path) {
    ASSIGN(file_, File::open(path));
    Head head{};
    if (file_->size() < sizeof head) return fail(Code::bad_file, "%s: has %llu bytes: expected a reference run that perplexity --save wrote", path.c_str(), static_cast<unsigned long long>(file_->size()));
    memcpy(&head, file_->data(), sizeof head);
    if (memcmp(head.magic, magic, sizeof magic) != 0) return fail(Code::bad_file, "%s: does not begin with _logits_: expected a reference run that perplexity --save wrote", path.c_str());
    if (head.n_ctx < 4 || head.vocab < 1 || head.n_windows < 1) {
        return fail(Code::bad_file, "%s: states %d windows of %d tokens over a vocabulary of %d: expected a reference run that perplexity --save wrote", path.c_str(), head.n_windows, head.n_ctx, head.vocab);
    }
    header_ = {head.n_ctx, head.vocab, head.n_windows, {}};
    // each factor is below 2^31 and the quotient is compared, so that no product can wrap
    const uint64_t per_window = static_cast<uint64_t>(head.n_ctx) * 4, row_bytes = static_cast<uint64_t>(row_cells(head.vocab)) * 2;
    const uint64_t rows = static_cast<uint64_t>(head.n_ctx - 1 - head.n_ctx / 2), body = file_->size() - sizeof head, windows = static_cast<uint64_t>(head.n_windows);
    const uint64_t rows_fit = body / row_bytes;
    const bool fits = rows_fit / rows >= windows;
    const uint64_t plain = fits ? windows * (per_window + rows * row_bytes) : 0, with_nll = plain + windows * rows * sizeof(float);
    if (!fits || (body != plain && body != with_nll)) {
        return fail(Code::bad_file, "%s: has %llu bytes, which is not the size of %d windows of %d tokens over a vocabulary of %d", path.c_str(), static_cast<unsigned long long>(file_->size()), head.n_windows, head.n_ctx, head.vocab);
    }
    header_.ids.resize(windows * static_cast<uint64_t>(head.n_ctx));
    memcpy(header_.ids.data(), file_->data() + sizeof head, header_.ids.size() * 4);
    at_ = sizeof head + windows * per_window;
    row_.resize(static_cast<size_t>(row_cells(head.vocab)));
    if (body == plain) return {};
    nll_.resize(windows * rows);
    TRY(file_->read(sizeof head + plain, std::as_writable_bytes(std::span(nll_))));
    for (const float x : nll_) {
        if (!std::isfinite(x)) return fail(Code::bad_file, "%s: has a log-likelihood that is %g: expected finite numbers", path.c_str(), static_cast<double>(x));
    }
    return {};
}

Result<ReferenceReader::Row> ReferenceReader::next() {
    TRY(file_->read(at_, std::as_writable_bytes(std::span(row_))));  // not through the mapping: gigabytes would become resident
    at_ += row_.size() * 2;
    done_++;
    float head[2];
    memcpy(head, row_.data(), sizeof head);
    if (!std::isfinite(head[0]) || !std::isfinite(head[1]) || head[0] < 0) return fail(Code::bad_file, "%s: a row has the scale %g and the lowest log-probability %g: expected finite numbers", file_->path().c_str(), static_cast<double>(head[0]), static_cast<double>(head[1]));
    return Row{head[0], head[1], std::span<const uint16_t>(row_).subspan(row_head, static_cast<size_t>(header_.vocab))};
}

}  // namespace gemma3n::measure
