#include "model/vision/parts.h"

#include "kernels/table.h"

namespace gemma3n::model::vision {

using format::TensorInfo;

static std::string shape_text(const std::vector<int64_t>& shape) {
    std::string s;
    for (const int64_t d : shape) s += (s.empty() ? "" : " x ") + std::to_string(d);
    return s.empty() ? "of no dimension" : s;
}

Result<const TensorInfo*> Parts::need(const std::string& name) {
    ASSIGN(const TensorInfo* t, tensors_.need(prefix_ + name));
    used_.insert(prefix_ + name);
    return t;
}

Error Parts::wrong(const std::string& name, const std::string& found_and_expected) const {
    const TensorInfo* t = tensors_.find(prefix_ + name);
    return fail(Code::bad_file, "%s: tensor '%s' %s", path().c_str(), t ? t->stored_name.c_str() : (prefix_ + name).c_str(), found_and_expected.c_str());
}

Result<View> Parts::pointwise(const std::string& name, int64_t inputs) {
    ASSIGN(const TensorInfo* t, need(name));
    const bool matrix = t->shape.size() == 2, convolution = t->shape.size() == 4 && t->shape[2] == 1 && t->shape[3] == 1;
    if ((!matrix && !convolution) || t->shape[1] != inputs || t->shape[0] < 1 || t->shape[0] > max_channels) {
        return wrong(name, text("has shape %s: expected N x %lld or N x %lld x 1 x 1, N up to %lld", shape_text(t->shape).c_str(), static_cast<long long>(inputs),
                                static_cast<long long>(inputs), static_cast<long long>(max_channels)));
    }
    return tensors_.matrix(prefix_ + name, t->shape[0], inputs);
}

Result<View> Parts::pointwise(const std::string& name, int64_t inputs, int64_t outputs) {
    ASSIGN(View v, pointwise(name, inputs));
    if (v.n_rows != outputs) return wrong(name, text("has %lld rows: expected %lld", static_cast<long long>(v.n_rows), static_cast<long long>(outputs)));
    return v;
}

// Convolutions with a kernel are few and small: they are turned to channels last once.
Result<std::vector<float>> Parts::plain_values(const TensorInfo& t, const std::string& name) const {
    if (is_quantised(t.type)) return wrong(name, text("is of type %s: expected f32, f16 or bf16 for a convolution with a kernel", std::string(info(t.type).name).c_str()));
    return tensors_.values(t, t.rows, t.cols);
}

Result<Kernel> Parts::depthwise(const std::string& name, int64_t channels) {
    ASSIGN(const TensorInfo* t, need(name));
    const auto& s = t->shape;
    if (s.size() != 4 || s[0] != channels || s[1] != 1 || s[2] != s[3] || s[2] < 1 || s[2] > max_kernel) {
        return wrong(name, text("has shape %s: expected %lld x 1 x K x K, K up to %lld", shape_text(s).c_str(), static_cast<long long>(channels), static_cast<long long>(max_kernel)));
    }
    ASSIGN(const std::vector<float> file, plain_values(*t, name));
    const int64_t taps = s[2] * s[2];
    return Kernel{tensors_.own(Tensors::channels_last(file, 1, channels, taps), taps), s[2]};
}

Result<Kernel> Parts::full(const std::string& name, int64_t inputs) {
    ASSIGN(const TensorInfo* t, need(name));
    const auto& s = t->shape;
    if (s.size() != 4 || s[0] < 1 || s[0] > max_channels || s[1] != inputs || s[2] != s[3] || s[2] < 1 || s[2] > max_kernel) {
        return wrong(name, text("has shape %s: expected N x %lld x K x K, N up to %lld and K up to %lld", shape_text(s).c_str(), static_cast<long long>(inputs),
                                static_cast<long long>(max_channels), static_cast<long long>(max_kernel)));
    }
    ASSIGN(const std::vector<float> file, plain_values(*t, name));
    const int64_t taps = s[2] * s[2];
    return Kernel{tensors_.own(Tensors::channels_last(file, s[0], inputs, taps), s[0]), s[2]};
}

Result<View> Parts::vector(const std::string& name, int64_t n) {
    ASSIGN(const TensorInfo* t, need(name));
    int64_t dimensions = 0;  // other than 1
    for (const int64_t d : t->shape) dimensions += d != 1;
    if (dimensions > 1 || t->rows * t->cols != n) return wrong(name, text("has shape %s: expected %lld values", shape_text(t->shape).c_str(), static_cast<long long>(n)));
    if (is_quantised(t->type)) return wrong(name, text("is of type %s: expected f32, f16 or bf16", std::string(info(t->type).name).c_str()));
    return tensors_.vector(prefix_ + name, n);
}

Status Parts::all_used(const format::Checkpoint& checkpoint) const {
    for (const TensorInfo& t : checkpoint.tensors()) {
        if (!t.name.starts_with(prefix_) || used_.contains(t.name)) continue;
        return fail(Code::unsupported, "%s: tensor '%s' has no place in a MobileNet-V5: expected the tensors of mobilenetv5_300m_enc or of a scaled one", path().c_str(),
                    t.stored_name.c_str());
    }
    return {};
}

}  // namespace gemma3n::model::vision
