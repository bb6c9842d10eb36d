#include "quant/cut.h"

#include "base/result.h"
#include "format/names.h"
#include "format/numbered.h"
#include "model/slice.h"

#include <algorithm>
#include <cstdlib>

namespace gemma3n::quant {

namespace {

using format::TensorInfo;

// Blocks of P rows or columns, one for each layer: those of the kept ones.
std::vector<Range> kept_blocks(const Slice& slice, int64_t p) {
    std::vector<Range> out;
    for (const model::LayerRun& r : model::runs(slice.layers)) out.push_back({r.layer * p, r.n * p});
    return out;
}

void keep_rows(Planned& p, std::vector<Range> ranges) {
    p.shape[0] = Planned::sum(ranges);
    p.rows_kept = std::move(ranges);
}

Status keep_cols(Planned& p, std::vector<Range> ranges, const std::string& path) {
    const TensorInfo& t = *p.parts[0];
    for (const DType type : {t.type, p.type}) {
        const int64_t block = info(type).block;
        for (const Range& r : ranges) {
            if (r.first % block == 0 && r.n % block == 0) continue;
            return fail(Code::unsupported, "%s: tensor '%s' is cut at columns %lld to %lld and its blocks, of %s, hold %lld: a slice of this file cannot leave it without re-quantising", path.c_str(),
                        t.stored_name.c_str(), static_cast<long long>(r.first), static_cast<long long>(r.first + r.n), info(type).name.data(), static_cast<long long>(block));
        }
    }
    p.shape.back() = Planned::sum(ranges);
    p.cols_kept = std::move(ranges);
    return {};
}

// "blk.7.ffn_up.weight", "model.language_model.layers.7.mlp.up_proj.weight": the same of another layer.
std::string renumbered(const std::string& name, int64_t layer, int64_t to) {
    const std::string from = "." + std::to_string(layer) + ".";
    return std::string(name).replace(name.find(from), from.size(), "." + std::to_string(to) + ".");
}

}  // namespace

Status cut(Plan& plan, const format::Checkpoint& checkpoint, const model::Config& config, const Slice& slice) {
    std::vector<Planned> kept;
    for (Planned& p : plan.tensors) {
        const std::string& name = p.parts[0]->name;
        if (name == "per_layer_model_projection.weight") keep_rows(p, kept_blocks(slice, config.per_layer_width));
        if (name == "embed_tokens_per_layer.weight") TRY(keep_cols(p, kept_blocks(slice, config.per_layer_width), checkpoint.path()));
        const auto layer = name.starts_with("layers.") ? format::numbered(std::string_view(name).substr(7)) : std::nullopt;
        if (layer) {
            const int64_t l = std::atoll(name.c_str() + 7);
            const auto at = std::lower_bound(slice.layers.begin(), slice.layers.end(), l);
            if (at == slice.layers.end() || *at != l) continue;
            const int64_t number = at - slice.layers.begin(), width = slice.ff[static_cast<size_t>(number)];
            p.name = renumbered(p.name, l, number);
            if (layer->rest == "mlp.gate_proj.weight" || layer->rest == "mlp.up_proj.weight") keep_rows(p, {{0, width}});
            if (layer->rest == "mlp.down_proj.weight") TRY(keep_cols(p, {{0, width}}, checkpoint.path()));
        }
        kept.push_back(std::move(p));
    }
    plan.tensors = std::move(kept);
    return {};
}

Result<Plan> make_hf_plan(const format::Checkpoint& checkpoint, const model::Config& config, std::optional<DType> dequantised) {
    const bool from_hf = checkpoint.container() == format::Container::safetensors;
    Plan plan;
    for (const TensorInfo& t : checkpoint.tensors()) {
        if (!from_hf && (!format::gguf_from_canonical(t.name) || t.type == DType::i32)) continue;  // of the file's own format
        Planned p;
        p.name = from_hf ? t.stored_name : t.name == "lm_head.weight" ? t.name : "model." + t.name;
        p.type = t.type;
        p.shape = t.shape;
        p.parts = {&t};
        if (is_quantised(t.type)) {
            if (!dequantised) {
                return fail(Code::bad_argument, "%s: tensor '%s' is %s, which a Hugging Face directory cannot hold: expected --dequantise bf16, or an output that ends in .gguf", checkpoint.path().c_str(),
                            t.stored_name.c_str(), info(t.type).name.data());
            }
            p.type = *dequantised;
        }
        if (!from_hf && t.name == "embed_tokens_per_layer.weight" && t.rows > config.per_layer_vocab) keep_rows(p, {{0, config.per_layer_vocab}});  // the rest are fillers
        plan.tensors.push_back(std::move(p));
    }
    return plan;
}

}  // namespace gemma3n::quant
