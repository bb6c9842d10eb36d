#include "quant/plan.h"

#include "base/result.h"
#include "format/names.h"
#include "format/projector_tensor.h"
#include "format/tower_names.h"

#include <map>

namespace gemma3n::quant {

namespace {

using format::TensorInfo;

bool is_stack(const std::string& gguf_name) { return gguf_name == "altup_proj.weight" || gguf_name == "altup_unembd_proj.weight"; }

// The type by the mix, where no rule says otherwise. What a quantised mix leaves alone keeps the source's type.
DType mixed_type(const Planned& p, format::Mix mix, const format::Layers& layers) {
    const TensorInfo& source = *p.parts[0];
    const auto n_dims = static_cast<int64_t>(p.shape.size());
    if (!format::plain_type(mix) && !format::is_always_f32(source.name, n_dims) && format::stays_plain(source.name)) return source.type;
    return format::type_in_mix(mix, source.name, n_dims, p.cols(), layers);
}

Status check_blocks(const Planned& p, const Rule& rule, const std::string& rules_path) {
    const DTypeInfo& type = info(rule.type);
    if (p.cols() % type.block == 0) return {};
    return fail(Code::bad_argument, "%s: line %d gives '%s' the type %s, whose blocks hold %d values: its rows have %lld", rules_path.c_str(), rule.line, p.name.c_str(),
                type.name.data(), type.block, static_cast<long long>(p.cols()));
}

Status decide(Planned& p, format::Mix mix, const format::Layers& layers, std::vector<Rule>& rules, const std::string& rules_path) {
    p.type = mixed_type(p, mix, layers);
    if (format::is_always_f32(p.parts[0]->name, static_cast<int64_t>(p.shape.size()))) return {};
    const Rule* rule = matching(rules, p.name);
    if (!rule) return {};
    TRY(check_blocks(p, *rule, rules_path));
    p.type = rule->type;
    return {};
}

}  // namespace

Result<Plan> make_plan(const format::Checkpoint& checkpoint, const model::Config& config, std::optional<format::Mix> mix, bool has_importance, std::vector<Rule>& rules,
                       const std::string& rules_path) {
    const bool from_hf = checkpoint.container() == format::Container::safetensors;
    Plan plan;
    std::map<std::string, size_t> stacks;
    for (const TensorInfo& t : checkpoint.tensors()) {
        if (format::is_tower(t.name)) continue;  // a file of its own
        const auto known = format::gguf_from_canonical(t.name);
        if (!known && from_hf) {
            return fail(Code::unsupported, "%s: tensor '%s' is not one of Gemma's: a GGUF file has no name for it", checkpoint.path().c_str(), shown(t.stored_name).c_str());
        }
        Planned p;
        p.name = known.value_or(t.stored_name);
        if (is_stack(p.name)) {
            const auto [at, first] = stacks.emplace(p.name, plan.tensors.size());
            if (!first) {
                plan.tensors[at->second].parts.push_back(&t);
                plan.tensors[at->second].shape[0]++;
                continue;
            }
            p.shape.push_back(1);
        }
        p.shape.insert(p.shape.end(), t.shape.begin(), t.shape.end());
        p.parts.push_back(&t);
        if (from_hf && config.family == model::Family::gemma3 && t.name.ends_with("norm.weight")) p.add = 1;
        if (from_hf && t.name.ends_with("_coefs.weight")) p.clip = config.altup_coef_clip;
        if (p.name == "per_layer_token_embd.weight") p.shape[0] = std::max(p.shape[0], config.vocab);  // readers want a row for every token
        plan.tensors.push_back(std::move(p));
    }
    for (Planned& p : plan.tensors) {
        if (is_stack(p.name)) {  // members in their order, whatever the order of the files
            const std::string base = p.parts[0]->name.substr(0, p.parts[0]->name.find('.') + 1);
            for (size_t i = 0; i < p.parts.size(); i++) {
                const TensorInfo* member = checkpoint.find(base + std::to_string(i) + ".weight");
                if (!member) return fail(Code::bad_file, "%s: tensor '%s%zu.weight' is missing", checkpoint.path().c_str(), base.c_str(), i);
                p.parts[i] = member;
            }
        }
        if (p.parts[0]->type == DType::i32) {
            p.type = DType::i32;
            continue;
        }
        if (!from_hf && !format::gguf_from_canonical(p.parts[0]->name)) {
            p.type = p.parts[0]->type;  // not of the network: taken over as it is
            continue;
        }
        if (!mix) {
            p.type = p.parts[0]->type;
            continue;
        }
        TRY(decide(p, *mix, {config.n_layers, config.n_heads / config.n_kv_heads, has_importance}, rules, rules_path));
        p.takes_importance = is_quantised(p.type) && p.parts.size() == 1;
        plan.n_requantised += is_quantised(p.type) && is_quantised(p.parts[0]->type) && p.type != p.parts[0]->type;
    }
    return plan;
}

Result<Plan> make_tower_plan(const format::Checkpoint& checkpoint, format::Mix mix, std::vector<Rule>& rules, const std::string& rules_path) {
    Plan plan;
    for (const TensorInfo& t : checkpoint.tensors()) {
        if (!format::is_tower(t.name)) continue;
        const auto name = format::projector_from_canonical(t.name);
        if (!name || t.type == DType::i32 || t.shape.empty()) {
            return fail(Code::unsupported, "%s: tensor '%s' is not one of Gemma 3n's towers: a projector file has no place for it", checkpoint.path().c_str(), shown(t.stored_name).c_str());
        }
        Planned p;
        p.name = *name;
        p.parts = {&t};
        const auto stored_as = [&](const format::ProjectorTensor& s) { p.type = s.type, p.shape = s.shape, p.row_values = s.row_values; };
        const format::ProjectorTensor in_mix = format::in_projector(mix, t.name, t.shape);
        stored_as(in_mix);
        if (const Rule* rule = in_mix.is_matrix ? matching(rules, p.name) : nullptr) {
            TRY(check_blocks(p, *rule, rules_path));
            stored_as(format::in_projector(rule->type, t.name, t.shape));
        }
        plan.n_requantised += is_quantised(p.type) && is_quantised(t.type) && p.type != t.type;
        plan.tensors.push_back(std::move(p));
    }
    return plan;
}

}  // namespace gemma3n::quant
