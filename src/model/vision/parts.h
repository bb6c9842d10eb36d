// The tower's tensors as they are bound: each kind of convolution with the shape that it must have. Every tensor that was asked for is
// remembered, so that what the tower does not know is refused instead of ignored.
#pragma once

#include "model/tensors.h"
#include "ops/map.h"

#include <set>
#include <string>

namespace gemma3n::model::vision {

inline constexpr int64_t max_kernel = 7;
inline constexpr int64_t max_channels = 1 << 16;

// A convolution with a kernel of its own: of each channel, or of all of them.
struct Kernel {
    View weights;      // f32, owned. Depthwise: [size * size, channels]; full: [outputs, size * size * inputs], pixel by pixel
    int64_t size = 1;  // of the square
};

class Parts {
public:
    Parts(Tensors& tensors, std::string prefix) : tensors_(tensors), prefix_(std::move(prefix)) {}

    const std::string& path() const { return tensors_.path(); }
    bool has(const std::string& name) const { return tensors_.find(prefix_ + name); }

    // [outputs, inputs], of any type; outputs is the file's to say, up to max_channels.
    Result<View> pointwise(const std::string& name, int64_t inputs);
    Result<View> pointwise(const std::string& name, int64_t inputs, int64_t outputs);
    Result<Kernel> depthwise(const std::string& name, int64_t channels);   // [channels, 1, size, size]
    Result<Kernel> full(const std::string& name, int64_t inputs);          // [outputs, inputs, size, size]
    Result<View> vector(const std::string& name, int64_t n);               // [n], dimensions of 1 around it allowed

    Error wrong(const std::string& name, const std::string& found_and_expected) const;

    // The first tensor of the tower that nobody asked for.
    Status all_used(const format::Checkpoint& checkpoint) const;

private:
    Result<const format::TensorInfo*> need(const std::string& name);
    Result<std::vector<float>> plain_values(const format::TensorInfo& t, const std::string& name) const;
    Tensors& tensors_;
    std::string prefix_;
    std::set<std::string> used_;
};

}  // namespace gemma3n::model::vision
