#include "model/tensors.h"

#include "kernels/table.h"

namespace gemma3n::model {

using format::TensorInfo;

View OwnedVectors::add(std::vector<float> values, int64_t rows) {
    auto& [buffer, data] = pieces.emplace_back(Buffer{}, std::move(values));
    buffer = {reinterpret_cast<std::byte*>(data.data()), data.size() * sizeof(float)};
    const int64_t cols = static_cast<int64_t>(data.size()) / rows;
    return {&buffer, 0, DType::f32, rows, cols, static_cast<uint64_t>(cols) * sizeof(float)};
}

uint64_t OwnedVectors::bytes() const {
    uint64_t n = 0;
    for (auto& p : pieces) n += p.second.size() * sizeof(float);
    return n;
}

Result<const TensorInfo*> Tensors::need(const std::string& name) const {
    if (const TensorInfo* t = checkpoint_.find(name)) return t;
    return fail(Code::bad_file, "%s: tensor '%s' is missing", path().c_str(), name.c_str());
}

Error Tensors::wrong_shape(const TensorInfo& t, int64_t rows, int64_t cols) const {
    return fail(Code::bad_file, "%s: tensor '%s' has shape %lld x %lld: expected %lld x %lld", path().c_str(), t.stored_name.c_str(),
                static_cast<long long>(t.rows), static_cast<long long>(t.cols), static_cast<long long>(rows), static_cast<long long>(cols));
}

Result<View> Tensors::matrix(const std::string& name, int64_t rows, int64_t cols) const {
    ASSIGN(const TensorInfo* t, need(name));
    if (t->type == DType::i32) return fail(Code::bad_file, "%s: tensor '%s' holds integers: expected weights", path().c_str(), t->stored_name.c_str());
    if (t->rows == rows && t->cols == cols) return checkpoint_.view(*t);
    if (t->shape != std::vector<int64_t>{rows, cols, 1, 1}) return wrong_shape(*t, rows, cols);
    View v = checkpoint_.view(*t);  // [rows * cols, 1] of a plain type: the same bytes
    v.n_rows = rows;
    v.n_cols = cols;
    v.stride = row_bytes(t->type, cols);
    return v;
}

Result<View> Tensors::vector(const std::string& name, int64_t n) {
    ASSIGN(const TensorInfo* t, need(name));
    ASSIGN(std::vector<float> v, values(*t, 1, n));
    return owned_.add(std::move(v));
}

Result<std::vector<float>> Tensors::values(const TensorInfo& t, int64_t rows, int64_t cols) const {
    if (t.rows * t.cols != rows * cols || (rows > 1 && t.rows != rows)) return wrong_shape(t, rows, cols);
    const auto to_f32 = kernels::reference().to_f32[static_cast<int>(t.type)];
    if (!to_f32) return fail(Code::bad_file, "%s: tensor '%s' holds integers: expected weights", path().c_str(), t.stored_name.c_str());
    std::vector<float> v(static_cast<size_t>(rows * cols));
    const View raw = checkpoint_.view(t);
    for (int64_t r = 0; r < t.rows; r++) to_f32(raw.raw(r), t.cols, v.data() + r * t.cols);
    return v;
}

std::vector<float> Tensors::channels_last(const std::vector<float>& file, int64_t outer, int64_t inner, int64_t taps) {
    std::vector<float> turned(file.size());
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            for (int64_t t = 0; t < taps; t++) turned[(o * taps + t) * inner + i] = file[(o * inner + i) * taps + t];
    return turned;
}

}  // namespace gemma3n::model
