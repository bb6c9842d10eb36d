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
    Stream(const format::Checkpoint& c, const Plan& plan, const Importance& importance, format::GgufWriter& w, const Options& options)
        : c_(c), plan_(plan), w_(w), options_(options), kernels_(*kernels::choose()) {
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
        std::vector<std::byte> out;
    };

    Status convert(int64_t chunk, Scratch& scratch) const {
        const size_t i = static_cast<size_t>(std::upper_bound(first_.begin(), first_.end(), chunk) - first_.begin()) - 1;
        const Planned& p = plan_.tensors[i];
        const int64_t begin = (chunk - first_[i]) * chunk_rows(p), end = std::min(begin + chunk_rows(p), p.rows());
        const uint64_t stride = row_bytes(p.type, p.cols());
        scratch.values.resize(static_cast<size_t>(p.cols()));
        scratch.out.resize(stride * static_cast<uint64_t>(end - begin));
        for (int64_t r = begin; r < end; r++) TRY(row(p, r, importance_[i], scratch.values.data(), scratch.out.data() + stride * static_cast<uint64_t>(r - begin)));
        give_back(p, begin, end);
        return w_.file().write_at(w_.offset(i) + stride * static_cast<uint64_t>(begin), scratch.out.data(), scratch.out.size());
    }

private:
    Status row(const Planned& p, int64_t r, const float* importance, float* x, std::byte* out) const {
        const int64_t n = p.cols();
        if (r >= p.rows_of_parts()) {
            std::fill(x, x + n, 0.0f);
            quantiser(p.type)(x, n, nullptr, out);
            return {};
        }
        const format::TensorInfo& t = *p.parts[static_cast<size_t>(r / p.part_rows())];
        const std::byte* source = c_.view(t).raw(0) + row_bytes(t.type, n) * static_cast<uint64_t>(r % p.part_rows());
        if (t.type == p.type && p.add == 0 && p.clip == 0) {
            std::copy(source, source + row_bytes(t.type, n), out);
            return {};
        }
        kernels_.to_f32[static_cast<int>(t.type)](source, n, x);
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
            const int64_t in_part = r % p.part_rows(), n = std::min(end - r, p.part_rows() - in_part);
            const uint64_t stride = row_bytes(t.type, p.cols());
            c_.files()[static_cast<size_t>(t.file)]->advise(t.offset + stride * static_cast<uint64_t>(in_part), stride * static_cast<uint64_t>(n), Advice::dont_need);
            r += n;
        }
    }

    const format::Checkpoint& c_;
    const Plan& plan_;
    format::GgufWriter& w_;
    const Options& options_;
    const kernels::Table& kernels_;
    std::vector<int64_t> first_;  // chunk number at which a tensor begins
    std::vector<const float*> importance_;
    int64_t n_chunks_ = 0;
};

}  // namespace

Status stream(const format::Checkpoint& checkpoint, const Plan& plan, const Importance& importance, format::GgufWriter& w, const std::string& output, const Options& options) {
    const Stream s(checkpoint, plan, importance, w, options);
    return run_chunks<Stream::Scratch>(options.threads, s.n_chunks(), options.progress, output, [&](int64_t chunk, Stream::Scratch& scratch) { return s.convert(chunk, scratch); });
}

}  // namespace gemma3n::quant
