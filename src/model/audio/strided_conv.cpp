#include "model/audio/strided_conv.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace gemma3n::model::audio {

namespace {

constexpr int64_t most_channels = 4096;  // bounds the patches of one row of time

// Sum of f(value) in double, eight sums at a time.
template <class F>
double sum_of(const float* x, int64_t n, F f) {
    double part[8] = {};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++) part[j] += f(x[i + j]);
    for (; i < n; i++) part[0] += f(x[i]);
    return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

}  // namespace

Result<StridedConv> StridedConv::bind(Tensors& tensors, const std::string& prefix, int64_t in_channels, int64_t in_frequencies, float eps) {
    ASSIGN(const format::TensorInfo* t, tensors.need(prefix + "conv.weight"));
    if (t->shape.size() != 4 || t->shape[1] != in_channels || t->shape[2] != kernel || t->shape[3] != kernel || t->shape[0] > most_channels) {
        return fail(Code::bad_file, "%s: tensor '%s' has shape %lld x %lld: expected a convolution of at most %lld x %lld x 3 x 3", tensors.path().c_str(), t->stored_name.c_str(),
                    static_cast<long long>(t->rows), static_cast<long long>(t->cols), static_cast<long long>(most_channels), static_cast<long long>(in_channels));
    }
    StridedConv v;
    v.in_channels_ = in_channels;
    v.in_frequencies_ = in_frequencies;
    v.channels_ = t->shape[0];
    v.frequencies_ = (in_frequencies + stride - 1) / stride;
    v.eps_ = eps;
    const int64_t places = kernel * kernel;
    ASSIGN(const std::vector<float> stored, tensors.values(*t, 1, v.channels_ * in_channels * places));
    v.weight_ = Tensors::channels_last(stored, v.channels_, in_channels, places);
    ASSIGN(v.norm_, tensors.vector(prefix + "norm.weight", v.channels_));
    return v;
}

float* StridedConv::extend(State& s, int64_t n) const {
    const int64_t before = s.n_rows;
    s.n_rows += n;
    s.rows.resize(static_cast<size_t>(s.n_rows * in_stride()));  // zeros
    return s.rows.data() + before * in_stride() + in_channels_;
}

// The values under the kernel at every frequency of row t of the rows in hand: [frequencies, 3, 3, in_channels].
void StridedConv::patches(const State& s, int64_t t, float* to) const {
    const int64_t n = kernel * in_channels_;
    for (int64_t dt = 0; dt < kernel; dt++) {
        const int64_t row = stride * t + dt;
        const float* from = row < s.n_rows ? s.rows.data() + row * in_stride() : nullptr;
        for (int64_t f = 0; f < frequencies_; f++) {
            float* at = to + (f * kernel + dt) * n;
            if (from) memcpy(at, from + stride * f * in_channels_, static_cast<size_t>(n) * sizeof(float));
            else std::fill_n(at, n, 0.0f);
        }
    }
}

void StridedConv::run(Context& c, State& s, int64_t n, float* out, int64_t out_stride, const char* name, const Tapped& tapped) const {
    if (n == 0) return;
    const Arena::Scope scope(c.scratch);
    const int64_t k = kernel * kernel * in_channels_, w = width();
    const View raw = c.scratch.view(n, w);
    const View columns = c.scratch.view(c.pool.n_threads(), frequencies_ * k);
    const uint64_t scratch_bytes = kernels::matmul_scratch_bytes(k);
    std::byte* scratch = c.scratch.bytes(scratch_bytes * static_cast<uint64_t>(c.pool.n_threads()));
    auto* sum = reinterpret_cast<double*>(c.scratch.bytes(static_cast<uint64_t>(n) * sizeof(double)));
    auto* mean = reinterpret_cast<double*>(c.scratch.bytes(static_cast<uint64_t>(n) * sizeof(double)));
    const kernels::Weights weights{reinterpret_cast<const std::byte*>(weight_.data()), static_cast<uint64_t>(k) * sizeof(float), DType::f32, channels_, k};

    c.pool.split(n, 1, [&](int64_t begin, int64_t end, int worker) {
        for (int64_t t = begin; t < end; t++) {
            patches(s, t, columns.f32(worker));
            c.k.matmul_f32(weights, columns.f32(worker), k, frequencies_, raw.f32(t), channels_, scratch + scratch_bytes * static_cast<uint64_t>(worker));
            sum[t] = sum_of(raw.f32(t), w, [](float x) { return static_cast<double>(x); });
        }
    });
    tapped.in(name).in("conv").see({n, frequencies_, channels_}, raw);
    for (int64_t t = 0; t < n; t++) {
        s.sum += sum[t];
        mean[t] = s.sum / (static_cast<double>(s.count + t + 1) * static_cast<double>(w));
    }
    // Each row is centred by the mean at its own time, which later rows do not change.
    c.each_row(n, [&](int64_t t) {
        const double m = mean[t];
        sum[t] = sum_of(raw.f32(t), w, [m](float x) { return (x - m) * (x - m); });
    });
    for (int64_t t = 0; t < n; t++) {
        s.squares += sum[t];
        sum[t] = 1 / std::sqrt(s.squares / (static_cast<double>(s.count + t + 1) * static_cast<double>(w)) + static_cast<double>(eps_));
    }
    c.each_row(n, [&](int64_t t) {
        const float m = static_cast<float>(mean[t]), inverse = static_cast<float>(sum[t]);
        for (int64_t f = 0; f < frequencies_; f++) {
            float* x = raw.f32(t) + f * channels_;
            for (int64_t i = 0; i < channels_; i++) {
                const float v = (x[i] - m) * inverse * norm_.f32()[i];
                x[i] = v < 0 ? 0 : v;  // a NaN stays one
            }
        }
        memcpy(out + t * out_stride, raw.f32(t), static_cast<size_t>(w) * sizeof(float));
    });
    tapped.in(name).see({n, frequencies_, channels_}, raw);
    s.count += n;
    const int64_t gone = std::min(stride * n, s.n_rows);
    s.rows.erase(s.rows.begin(), s.rows.begin() + gone * in_stride());
    s.n_rows -= gone;
}

void StridedConv::plan(ScratchPlan& p, int64_t n) const {
    const ScratchPlan::Scope scope(p);
    const int64_t k = kernel * kernel * in_channels_;
    p.view(n, width());
    p.view(p.n_threads, frequencies_ * k);
    p.bytes(kernels::matmul_scratch_bytes(k) * static_cast<uint64_t>(p.n_threads));
    p.bytes(2 * static_cast<uint64_t>(n) * sizeof(double));
}

}  // namespace gemma3n::model::audio
