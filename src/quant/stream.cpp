#include "quant/stream.h"

#include "kernels/table.h"
#include "parallel/chunks.h"
#include "quant/quantiser.h"

#include <algorithm>
#include <cmath>

namespace gemma3n::quant {

namespace {

constexpr int64_t chunk_values = 1 << 18;  // 1 MB of f32
constexpr float largest_value = 65504;     // of f16, in which blocks keep their scales

int64_t chunk_rows(const Planned& p) { return std::max<int64_t>(chunk_values / p.cols(), 1); }

class Stream {
public:
    Stream(const format::Checkpoint& c, const Plan& plan, const Importance& importance, const std::vector<Place>& places)
        : c_(c), plan_(plan), places_(places), kernels_(*kernels::choose()) {
        for (const Planned& p : plan.tensors) {
            first_.push_back(n_chunks_);
            n_chunks_ += (p.rows() + chunk_rows(p) - 1) / chunk_rows(p);
            const auto it = p.takes_importance ? importance.find(p.name) : importance.end();
            importance_.push_back(it == importance.end() ? nullptr : it->second.data());
        }
    }

    int64_t n_chunks() const { return n_chunks_; }

    struct Scratch {
        std::vector<float> values;
        std::vector<std::byte> gathered, out;
    };

    Status convert(int64_t chunk, Scratch& scratch) const {
        const size_t i = static_cast<size_t>(std::upper_bound(first_.begin(), first_.end(), chunk) - first_.begin()) - 1;
        const Planned& p = plan_.tensors[i];
        const int64_t begin = (chunk - first_[i]) * chunk_rows(p), end = std::min(begin + chunk_rows(p), p.rows());
        const uint64_t stride = row_bytes(p.type, p.cols());
        scratch.values.resize(static_cast<size_t>(p.cols()));
        scratch.out.resize(stride * static_cast<uint64_t>(end - begin));
        for (int64_t r = begin; r < end; r++) TRY(row(p, r, importance_[i], scratch, scratch.out.data() + stride * static_cast<uint64_t>(r - begin)));
        give_back(p, begin, end);
        return places_[i].file->write_at(places_[i].offset + stride * static_cast<uint64_t>(begin), scratch.out.data(), scratch.out.size());
    }

private:
    // The kept values of a row of the parts, as the input has them; gathered if they do not lie together.
    const std::byte* source(const Planned& p, const format::TensorInfo& t, int64_t r, Scratch& scratch) const {
        const std::byte* first = c_.view(t).raw(0);
        if (p.cols_kept.empty()) return first + row_bytes(t.type, p.cols()) * static_cast<uint64_t>(p.source_row(r));
        first += row_bytes(t.type, t.cols) * static_cast<uint64_t>(p.source_row(r));
        scratch.gathered.clear();
        for (const Range& k : p.cols_kept) scratch.gathered.insert(scratch.gathered.end(), first + row_bytes(t.type, k.first), first + row_bytes(t.type, k.first + k.n));
        return scratch.gathered.data();
    }

    Status row(const Planned& p, int64_t r, const float* importance, Scratch& scratch, std::byte* out) const {
        const int64_t n = p.cols();
        float* x = scratch.values.data();
        if (r >= p.rows_of_parts()) {
            std::fill(x, x + n, 0.0f);
            quantiser(p.type)(x, n, nullptr, out);
            return {};
        }
        const format::TensorInfo& t = *p.parts[static_cast<size_t>(r / p.part_rows())];
        const std::byte* values = source(p, t, r, scratch);
        if (t.type == p.type && p.add == 0 && p.clip == 0) {
            std::copy(values, values + row_bytes(t.type, n), out);
            return {};
        }
        kernels_.to_f32[static_cast<int>(t.type)](values, n, x);
        if (p.clip > 0)
            for (int64_t i = 0; i < n; i++) x[i] = std::clamp(x[i], -p.clip, p.clip);
        for (int64_t i = 0; i < n; i++) x[i] += p.add;
        if (p.type != DType::f32 && p.type != DType::bf16) TRY(check(p, t, x, n));
        quantiser(p.type)(x, n, importance, out);
        return {};
    }

    Status check(const Planned& p, const format::TensorInfo& t, const float* x, int64_t n) const {
        for (int64_t i = 0; i < n; i++) {
            if (!(std::fabs(x[i]) <= largest_value)) {
                return fail(Code::unsupported, "%s: tensor '%s' holds %g: type %s expects values up to 65504", c_.path().c_str(), shown(t.stored_name).c_str(),
                            static_cast<double>(x[i]), info(p.type).name.data());
            }
        }
        return {};
    }

    // The input's pages of these rows; one that a neighbour still needs is read again.
    void give_back(const Planned& p, int64_t begin, int64_t end) const {
        for (int64_t r = begin; r < std::min(end, p.rows_of_parts());) {
            const format::TensorInfo& t = *p.parts[static_cast<size_t>(r / p.part_rows())];
            const int64_t n = std::min(end - r, p.part_rows() - r % p.part_rows()), first = p.source_row(r), last = p.source_row(r + n - 1);
            const uint64_t stride = row_bytes(t.type, p.cols_kept.empty() ? p.cols() : t.cols);
            c_.files()[static_cast<size_t>(t.file)]->advise(t.offset + stride * static_cast<uint64_t>(first), stride * static_cast<uint64_t>(last + 1 - first), Advice::dont_need);
            r += n;
        }
    }

    const format::Checkpoint& c_;
    const Plan& plan_;
    const std::vector<Place>& places_;
    const kernels::Table& kernels_;
    std::vector<int64_t> first_;  // chunk number at which a tensor begins
    std::vector<const float*> importance_;
    int64_t n_chunks_ = 0;
};

}  // namespace

Status stream(const format::Checkpoint& checkpoint, const Plan& plan, const Importance& importance, const std::vector<Place>& places, const std::string& output, const Options& options) {
    const Stream s(checkpoint, plan, importance, places);
    return run_chunks<Stream::Scratch>(options.threads, s.n_chunks(), options.progress, output, [&](int64_t chunk, Stream::Scratch& scratch) { return s.convert(chunk, scratch); });
}

}  // namespace gemma3n::quant
