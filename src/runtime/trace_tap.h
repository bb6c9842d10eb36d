// From the network's views to the public tensors.
#pragma once

#include "gemma3n/engine.h"
#include "model/text/decoder.h"

#include <cstring>

namespace gemma3n::runtime {

class TraceTap final : public model::Tap {
public:
    // Both must outlive it.
    TraceTap(const std::function<bool(const std::string&)>& wanted, const TraceSink& sink) : wanted_(wanted), sink_(sink) {}
    bool wants(const std::string& name) override { return !wanted_ || wanted_(name); }
    void tensor(const std::string& name, std::vector<int64_t> shape, const View& v) override {
        TraceTensor t{name, std::move(shape), std::vector<float>(static_cast<size_t>(v.n_rows * v.n_cols)), {}};
        for (int64_t r = 0; r < v.n_rows; r++) memcpy(t.values.data() + r * v.n_cols, v.f32(r), v.n_cols * sizeof(float));
        sink_(t);
    }
    void values(const std::string& name, std::vector<int64_t> shape, std::span<const float> v) {
        if (wants(name)) sink_({name, std::move(shape), {v.begin(), v.end()}, {}});
    }

private:
    const std::function<bool(const std::string&)>& wanted_;
    const TraceSink& sink_;
};

}  // namespace gemma3n::runtime
