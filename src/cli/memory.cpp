// Plans of memory: as a table, as JSON, and before a model is loaded under --memory.
#include "cli/json.h"
#include "cli/commands.h"

#include <cstdio>

namespace gemma3n::cli {

namespace {

const char* name(KvType t) { return t == KvType::f32 ? "f32" : t == KvType::q8 ? "q8" : "f16"; }

std::string megabytes(uint64_t n) {
    char s[32];
    snprintf(s, sizeof s, "%.1f MB", static_cast<double>(n) / 1e6);
    return s;
}

}  // namespace

EngineOptions engine_options(const ModelOptions& o) {
    EngineOptions e;
    e.threads = o.threads;
    e.kernels = o.kernels;
    e.activations = o.activations == "f32" ? Activations::f32 : Activations::q8;
    e.kv = o.kv.empty() ? KvType::automatic : o.kv == "f32" ? KvType::f32 : o.kv == "q8" ? KvType::q8 : KvType::f16;
    e.size = o.size;
    e.mmproj = o.mmproj;
    e.memory_limit = o.memory;
    return e;
}

Status check_target(const ModelOptions& o) {
    if (o.target_tps == 0 || o.size == "fit") return {};
    return Error{Code::bad_argument, "--target-tps is given with --size " + (o.size.empty() ? "full" : o.size) + ": expected --size fit, which it is a condition of"};
}

std::string size_name(Engine& engine) {
    const auto session = engine.new_session({.context_tokens = 1, .chunk_tokens = 1});
    return session ? (*session)->size().name : "";
}

void print_plan(const MemoryPlan& p) {
    const auto cell = [](bool there, uint64_t bytes) { return there ? megabytes(bytes) : std::string("-"); };
    const auto row = [&](const char* what, const std::string& text, const std::string& vision, const std::string& audio, const std::string& note) {
        printf("%-22s %12s", what, text.c_str());
        if (p.vision_bytes > 0) printf(" %12s", vision.c_str());
        if (p.audio_bytes > 0) printf(" %12s", audio.c_str());
        printf("%s%s\n", note.empty() ? "" : "  ", note.c_str());
    };
    printf("\n");
    row("memory, while there is", "text", "a picture", "sound", "");
    for (const MemoryClass& c : p.classes) row(c.name.c_str(), cell(c.text, c.bytes), cell(c.vision, c.bytes), cell(c.audio, c.bytes), c.note);
    row("sum", megabytes(p.text_bytes), megabytes(p.vision_bytes), megabytes(p.audio_bytes), "");
    if (p.tokens_per_s > 0) printf("%-22s %12.1f  tokens a second, by the bytes of a token\n", "answers", p.tokens_per_s);
    const std::string allowed = p.limit > 0 ? ", " + megabytes(p.limit) + " allowed" : "";
    printf("%-22s %12s  in size %s%s\n", "peak", megabytes(p.peak_bytes).c_str(), p.size.c_str(), allowed.c_str());
}

std::string plan_json(const MemoryPlan& p) {
    std::string classes;
    for (const MemoryClass& c : p.classes) {
        classes += (classes.empty() ? "" : ", ") +
                   Json().add("name", c.name).add("bytes", c.bytes).raw("text", c.text ? "true" : "false").raw("vision", c.vision ? "true" : "false").raw("audio", c.audio ? "true" : "false").add("note", c.note).str();
    }
    Json j;
    j.raw("classes", "[" + classes + "]").add("text_bytes", p.text_bytes).add("vision_bytes", p.vision_bytes).add("audio_bytes", p.audio_bytes).add("peak_bytes", p.peak_bytes);
    j.add("size", p.size).add("limit", p.limit).add("context_tokens", p.context_tokens).add("chunk_tokens", p.chunk_tokens).add("image_side", p.image_side).add("kv", std::string(name(p.kv))).add("tokens_per_s", p.tokens_per_s);
    return j.str();
}

}  // namespace gemma3n::cli
