// The GGUF form: general.type "imatrix", imatrix.datasets, imatrix.chunk_count, imatrix.chunk_size; for every matrix NAME the tensors
// NAME.in_sum2 (sums of squares, f32 [columns]) and NAME.counts (rows summed, f32 [1]).
// The older form: i32 number of entries; each: i32 length and bytes of the name, i32 calls, i32 columns, f32 mean square * calls; after
// them i32 chunks and the length and bytes of the text's name, which older files lack.
#include "quant/imatrix.h"

#include "base/file.h"
#include "format/checkpoint.h"
#include "format/gguf_writer.h"

#include <cmath>
#include <cstring>

namespace gemma3n::quant {

namespace {

constexpr std::string_view sums = ".in_sum2", counts = ".counts";

// What both forms must satisfy.
Status add(Importance& out, const std::string& name, std::vector<float> values, const std::string& path) {
    for (const float v : values) {
        if (!(v >= 0) || !std::isfinite(v)) {
            return fail(Code::bad_file, "%s: the entry of '%s' holds %g: expected mean squares", path.c_str(), shown(name).c_str(), static_cast<double>(v));
        }
    }
    if (!out.emplace(name, std::move(values)).second) return fail(Code::bad_file, "%s: '%s' has two entries", path.c_str(), shown(name).c_str());
    return {};
}

Result<Importance> from_gguf(const std::string& path) {
    ASSIGN(const auto file, format::Checkpoint::open(path));
    const std::string* is = file->text("general.type");
    if (!is || *is != "imatrix") return fail(Code::bad_file, "%s: its general.type is '%s': expected imatrix", path.c_str(), is ? shown(*is).c_str() : "missing");
    Importance out;
    for (const format::TensorInfo& t : file->tensors()) {
        if (!t.name.ends_with(sums)) continue;
        const std::string name = t.name.substr(0, t.name.size() - sums.size());
        const format::TensorInfo* n = file->find(name + std::string(counts));
        if (!n) return fail(Code::bad_file, "%s: tensor '%s%s' is missing", path.c_str(), shown(name).c_str(), counts.data());
        if (t.type != DType::f32 || n->type != DType::f32) return fail(Code::bad_file, "%s: the entry of '%s' is not f32", path.c_str(), shown(name).c_str());
        if (t.rows != 1 || n->rows * n->cols != 1) {
            return fail(Code::unsupported, "%s: the entry of '%s' is of %lld matrices: expected one", path.c_str(), shown(name).c_str(),
                        static_cast<long long>(std::max(t.rows, n->rows * n->cols)));
        }
        const float count = file->view(*n).f32()[0];
        if (!(count > 0)) continue;
        const float* sum = file->view(t).f32();
        std::vector<float> mean(static_cast<size_t>(t.cols));
        for (int64_t i = 0; i < t.cols; i++) mean[static_cast<size_t>(i)] = sum[i] / count;
        TRY(add(out, name, std::move(mean), path));
    }
    TRY(file->intact());
    return out;
}

class Bytes {
public:
    explicit Bytes(const File& f) : file_(f) {}
    bool take(uint64_t n, std::string& out) {
        if (n > file_.size() - at_) return false;
        out.assign(reinterpret_cast<const char*>(file_.data()) + at_, n);
        at_ += n;
        return true;
    }
    bool count(int32_t& out) {
        std::string s;
        if (!take(4, s)) return false;
        memcpy(&out, s.data(), 4);
        return out >= 0;
    }

private:
    const File& file_;
    uint64_t at_ = 0;
};

Result<Importance> from_list(const File& file) {
    const std::string& path = file.path();
    const auto broken = [&] { return fail(Code::bad_file, "%s: is not an importance matrix: neither a GGUF file nor a whole list of entries", path.c_str()); };
    Bytes b(file);
    int32_t n_entries;
    if (!b.count(n_entries)) return broken();
    Importance out;
    for (int32_t i = 0; i < n_entries; i++) {
        int32_t length, calls, columns;
        std::string name, raw;
        if (!b.count(length) || !b.take(static_cast<uint64_t>(length), name) || !b.count(calls) || !b.count(columns)) return broken();
        if (!b.take(static_cast<uint64_t>(columns) * sizeof(float), raw)) return broken();
        std::vector<float> mean(static_cast<size_t>(columns));
        memcpy(mean.data(), raw.data(), raw.size());
        for (float& v : mean) v /= static_cast<float>(std::max(calls, 1));
        TRY(add(out, name, std::move(mean), path));
    }
    TRY(file.intact());
    return out;
}

}  // namespace

Status write_imatrix(const Imatrix& m, const std::string& path) {
    format::GgufWriter w;
    w.set("general.type", "imatrix");
    w.set("imatrix.datasets", std::vector<std::string>{m.dataset});
    w.set("imatrix.chunk_count", static_cast<uint32_t>(m.chunks));
    w.set("imatrix.chunk_size", static_cast<uint32_t>(m.chunk_tokens));
    for (const auto& [name, e] : m.entries) {
        w.declare(name + std::string(sums), DType::f32, {static_cast<int64_t>(e.sum.size())});
        w.declare(name + std::string(counts), DType::f32, {1});
    }
    TRY(w.open(path));
    size_t i = 0;
    for (const auto& [name, e] : m.entries) {
        const std::vector<float> sum(e.sum.begin(), e.sum.end());
        const float count = static_cast<float>(e.count);
        TRY(w.file().write_at(w.offset(i++), sum.data(), sum.size() * sizeof(float)));
        TRY(w.file().write_at(w.offset(i++), &count, sizeof count));
    }
    return w.close();
}

Result<Importance> read_imatrix(const std::string& path) {
    ASSIGN(const auto file, File::open(path));
    const bool gguf = file->size() >= 4 && memcmp(file->data(), "GGUF", 4) == 0;
    ASSIGN(Importance out, gguf ? from_gguf(path) : from_list(*file));
    if (out.empty()) return fail(Code::bad_file, "%s: holds no entry", path.c_str());
    return out;
}

}  // namespace gemma3n::quant
