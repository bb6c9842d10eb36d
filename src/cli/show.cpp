// show: what a model is, as a table or as JSON.
#include "cli/commands.h"

#include <cstdio>

namespace gemma3n::cli {

namespace {

std::string bytes_text(uint64_t n) {
    char s[32];
    if (n >= 1000000000) snprintf(s, sizeof s, "%.3f GB", static_cast<double>(n) / 1e9);
    else if (n >= 1000000) snprintf(s, sizeof s, "%.1f MB", static_cast<double>(n) / 1e6);
    else snprintf(s, sizeof s, "%.1f kB", static_cast<double>(n) / 1e3);
    return s;
}

// "8192" when all are equal, else "8192 x 20, 16384 x 15" in order of layers.
std::string runs_text(const std::vector<int64_t>& v) {
    std::string s;
    for (size_t i = 0; i < v.size();) {
        size_t n = 1;
        while (i + n < v.size() && v[i + n] == v[i]) n++;
        if (!s.empty()) s += ", ";
        s += std::to_string(v[i]);
        if (n != v.size()) s += " x " + std::to_string(n);
        i += n;
    }
    return s;
}

// What text needs; towers come on top, while they are used.
uint64_t resident(const ModelInfo& m, int64_t tokens) {
    uint64_t n = m.kv_bytes_windowed + m.kv_bytes_per_token_global * static_cast<uint64_t>(tokens);
    for (const ByteClass& b : m.bytes) n += b.on_demand ? 0 : b.resident_bytes;
    return n;
}

std::string size_text(const SizeInfo& s) {
    char text[160];
    snprintf(text, sizeof text, "%-14s %6zu %10.3f B %12s %12s", s.slice.name.c_str(), s.slice.layers.size(), static_cast<double>(s.n_parameters) / 1e9, bytes_text(s.bytes_per_token).c_str(),
             bytes_text(s.resident_bytes).c_str());
    std::string line = text;
    if (s.mmlu > 0) {
        snprintf(text, sizeof text, "  %.2f B listed, MMLU %.1f %%", s.billions, s.mmlu);
        line += text;
    }
    return line;
}

void sizes_table(const std::vector<SizeInfo>& sizes) {
    printf("\n%-14s %6s %12s %12s %12s\n", "size", "layers", "core", "a token", "in memory");
    for (const SizeInfo& s : sizes) printf("%s\n", size_text(s).c_str());
    printf("A size is a slice of the weights above (--size). In memory are whole pages: narrowed down projections share theirs with the rest.\n");
}

void table(const ModelInfo& m) {
    const auto row = [](const char* key, const std::string& value) { printf("%-22s %s\n", key, value.c_str()); };
    const auto ll = [](int64_t v) { return std::to_string(v); };
    row("model", m.name);
    row("file", m.path + " (" + m.container + ")");
    row("family", m.family);
    char parameters[32];
    snprintf(parameters, sizeof parameters, "%.3f B used", static_cast<double>(m.n_parameters) / 1e9);
    row("parameters", parameters);
    int64_t n_global = 0;
    for (const bool s : m.sliding) n_global += !s;
    row("layers", ll(m.n_layers) + ": " + ll(m.n_layers - n_global) + " sliding (window " + ll(m.window) + "), " + ll(n_global) + " global; " +
                      ll(m.n_kv_layers) + " own keys and values");
    row("hidden", ll(m.hidden));
    row("feed-forward", runs_text(m.ff));
    row("heads", ll(m.n_heads) + " over " + ll(m.n_kv_heads) + ", of " + ll(m.head_dim));
    if (m.n_streams > 0) {
        row("AltUp streams", ll(m.n_streams));
        row("per-layer inputs", ll(m.per_layer_width) + " a layer, table of " + ll(m.per_layer_vocab) + " rows, read by " + m.per_layer_reading);
        row("LAuReL rank", ll(m.laurel_rank));
    }
    row("vocabulary", ll(m.vocab) + (m.has_tokenizer ? "" : " (no tokenizer)"));
    std::string eos;
    for (const int id : m.eos) eos += (eos.empty() ? "" : ", ") + std::to_string(id);
    row("begin / end ids", std::to_string(m.bos) + " / " + eos);
    row("context", ll(m.context_length));
    std::string types;
    for (const auto& [type, n] : m.tensor_types) types += (types.empty() ? "" : ", ") + type + " x " + std::to_string(n);
    row("tensor types", types);
    if (!m.chat_template_note.empty()) row("chat template", m.chat_template_note);
    if (!m.projector.empty()) row("projector", m.projector);
    if (m.vision) row("pictures", ll(m.image_side) + " x " + ll(m.image_side) + " pixels, " + ll(m.image_tokens) + " tokens each");
    if (m.audio) {
        char seconds[32];
        snprintf(seconds, sizeof seconds, "%g", m.clip_seconds);
        row("sound", std::string("clips of up to ") + seconds + " s, " + ll(m.clip_tokens) + " tokens each");
    }
    if (!m.towers_note.empty()) row("no towers", m.towers_note);
    row("kernels", m.kernels + " on " + m.cpu);
    printf("\n%-22s %12s %12s\n", "bytes", "in the file", "in memory");
    for (const ByteClass& b : m.bytes) {
        printf("%-22s %12s %12s%s\n", b.name.c_str(), bytes_text(b.file_bytes).c_str(), b.resident_bytes ? bytes_text(b.resident_bytes).c_str() : "-", b.on_demand ? "  while used" : "");
    }
    printf("%-22s %12s %12s\n", "keys, values: windows", "", bytes_text(m.kv_bytes_windowed).c_str());
    printf("%-22s %12s %12s\n", "  and per token", "", bytes_text(m.kv_bytes_per_token_global).c_str());
    for (const int64_t tokens : {int64_t{2048}, m.context_length}) {
        printf("%-22s %12s %12s\n", ("needed, " + std::to_string(tokens) + " tokens").c_str(), "", bytes_text(resident(m, tokens)).c_str());
    }
}

template <class T>
std::string list(const std::vector<T>& v) {
    std::string s = "[";
    for (const T value : v) {
        if (s.size() > 1) s += ',';
        s += std::to_string(value);
    }
    return s + "]";
}

std::string json_sizes(const std::vector<SizeInfo>& sizes) {
    std::string all;
    for (const SizeInfo& s : sizes) {
        all += (all.empty() ? "\n  {" : ",\n  {") + std::string("\"name\": ") + json_string(s.slice.name) + ", \"layers\": " + list(s.slice.layers) + ", \"widths\": " + list(s.slice.ff) +
               ", \"core_parameters\": " + std::to_string(s.n_parameters) + ", \"bytes_per_token\": " + std::to_string(s.bytes_per_token) + ", \"prompt_products\": " + std::to_string(s.prompt_products) +
               ", \"resident_bytes\": " + std::to_string(s.resident_bytes) +
               (s.mmlu > 0 ? ", \"listed_billions\": " + std::to_string(s.billions) + ", \"listed_mmlu\": " + std::to_string(s.mmlu) : "") + "}";
    }
    return "[" + all + "]";
}

void json(const ModelInfo& m, const std::vector<SizeInfo>& sizes, const MemoryPlan& plan) {
    std::string s = "{";
    const auto add = [&](const char* key, const std::string& value) { s += (s.size() > 1 ? ",\n " : "\n ") + json_string(key) + ": " + value; };
    add("path", json_string(m.path));
    add("name", json_string(m.name));
    add("family", json_string(m.family));
    add("container", json_string(m.container));
    add("parameters", std::to_string(m.n_parameters));
    add("hidden", std::to_string(m.hidden));
    add("layers", std::to_string(m.n_layers));
    add("kv_layers", std::to_string(m.n_kv_layers));
    add("heads", std::to_string(m.n_heads));
    add("kv_heads", std::to_string(m.n_kv_heads));
    add("head_dim", std::to_string(m.head_dim));
    add("window", std::to_string(m.window));
    add("context_length", std::to_string(m.context_length));
    add("vocab", std::to_string(m.vocab));
    add("feed_forward", list(m.ff));
    std::string sliding = "[";
    for (size_t i = 0; i < m.sliding.size(); i++) sliding += std::string(i ? "," : "") + (m.sliding[i] ? "true" : "false");
    add("sliding", sliding + "]");
    add("altup_streams", std::to_string(m.n_streams));
    add("per_layer_width", std::to_string(m.per_layer_width));
    add("per_layer_vocab", std::to_string(m.per_layer_vocab));
    add("laurel_rank", std::to_string(m.laurel_rank));
    std::string types = "{";
    for (const auto& [type, n] : m.tensor_types) types += (types.size() > 1 ? ", " : "") + json_string(type) + ": " + std::to_string(n);
    add("tensor_types", types + "}");
    std::string classes = "{";
    for (const ByteClass& b : m.bytes) {
        classes += (classes.size() > 1 ? ", " : "") + json_string(b.name) + ": {\"file\": " + std::to_string(b.file_bytes) + ", \"resident\": " + std::to_string(b.resident_bytes) +
                   ", \"on_demand\": " + (b.on_demand ? "true" : "false") + "}";
    }
    add("bytes", classes + "}");
    add("kv_bytes_windows", std::to_string(m.kv_bytes_windowed));
    add("kv_bytes_per_token", std::to_string(m.kv_bytes_per_token_global));
    add("memory", plan_json(plan));
    add("needed_bytes_2048", std::to_string(resident(m, 2048)));
    add("needed_bytes_full_context", std::to_string(resident(m, m.context_length)));
    add("sizes", json_sizes(sizes));
    add("bos", std::to_string(m.bos));
    add("eos", list(m.eos));
    add("tokenizer", m.has_tokenizer ? "true" : "false");
    add("projector", m.projector.empty() ? "null" : json_string(m.projector));
    add("vision", m.vision ? "{\"side\": " + std::to_string(m.image_side) + ", \"tokens\": " + std::to_string(m.image_tokens) + "}" : "null");
    add("audio", m.audio ? "{\"seconds\": " + std::to_string(m.clip_seconds) + ", \"tokens\": " + std::to_string(m.clip_tokens) + "}" : "null");
    add("towers_note", m.towers_note.empty() ? "null" : json_string(m.towers_note));
    add("kernels", json_string(m.kernels));
    add("cpu", json_string(m.cpu));
    add("per_layer_reading", json_string(m.per_layer_reading));
    add("chat_template_note", m.chat_template_note.empty() ? "null" : json_string(m.chat_template_note));
    printf("%s\n}\n", s.c_str());
}

}  // namespace

int show(const ShowOptions& o) {
    if (const Status s = check_target(o.model); !s) return report(s.error());
    const auto path = model_path(o.model);
    if (!path) return report(path.error());
    MemoryNeeds needs = o.needs;
    needs.tokens_per_s = o.model.target_tps;
    const auto plan = plan_memory(*path, engine_options(o.model), needs);
    if (!plan) return report(plan.error());
    ModelOptions unlimited = o.model;
    unlimited.memory = 0;
    unlimited.size.clear();
    auto engine = load(unlimited);
    if (!engine) return report(engine.error());
    const std::vector<SizeInfo> sizes = (*engine)->sizes();
    if (o.json) {
        json((*engine)->info(), sizes, *plan);
    } else {
        table((*engine)->info());
        sizes_table(sizes);
        print_plan(*plan);
    }
    return finish_output();
}

}  // namespace gemma3n::cli
