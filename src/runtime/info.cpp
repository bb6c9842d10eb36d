#include "runtime/info.h"

#include "base/cpu.h"
#include "model/residency.h"
#include "runtime/planner.h"
#include "tokens/chat_template.h"

#include <algorithm>

namespace gemma3n::runtime {

static uint64_t kv_bytes(const model::Config& c, DType type) {  // of one token in one layer
    return static_cast<uint64_t>(2 * c.n_kv_heads) * row_bytes(type, c.head_dim);
}

static void add_bytes(ModelInfo& m, const format::Checkpoint& checkpoint, const model::Config& c) {
    for (const model::ClassBytes& b : model::bytes_by_class(checkpoint, c)) {
        const bool tower = model::is_tower(b.tensor_class);
        m.bytes.push_back({std::string(model::name(b.tensor_class)), b.file_bytes, b.resident_bytes, tower});
        if (b.tensor_class != model::TensorClass::unused && !tower) m.n_parameters += b.parameters;
    }
}

static void add_towers(ModelInfo& m, const Towers& towers, const Engine::Impl& e) {
    const model::MediaConfig& c = towers.config();
    m.n_ids = std::max(e.config.vocab, towers.end_of_marks());
    if (towers.wrong() && e.config.family == model::Family::gemma3n) m.towers_note = towers.wrong()->message;
    m.vision = towers.has_vision();
    m.audio = towers.has_audio();
    if (towers.checkpoint() && towers.checkpoint() != e.checkpoint.get()) {
        m.projector = towers.checkpoint()->path();
        add_bytes(m, *towers.checkpoint(), e.config);
    }
    if (m.vision) {
        m.image_side = c.vision.side;
        m.image_tokens = c.vision.n_tokens;
        m.image_placeholder = c.ids.image;
    }
    if (m.audio) {
        m.clip_tokens = c.audio.n_tokens;
        m.sound_placeholder = c.ids.audio;
        m.clip_seconds = static_cast<double>(towers.clip_samples()) / static_cast<double>(sound_rate);
        m.clip_token_seconds = static_cast<double>(towers.token_samples()) / static_cast<double>(sound_rate);
    }
}

ModelInfo describe(const Engine::Impl& e) {
    const model::Config& c = e.config;
    ModelInfo m;
    m.path = e.checkpoint->path();
    m.name = c.name;
    m.family = c.family == model::Family::gemma3n ? "gemma3n" : "gemma3";
    m.container = e.checkpoint->container() == format::Container::gguf ? "gguf" : "safetensors";
    m.hidden = c.hidden;
    m.n_layers = c.n_layers;
    m.n_heads = c.n_heads;
    m.n_kv_heads = c.n_kv_heads;
    m.head_dim = c.head_dim;
    m.vocab = c.vocab;
    m.window = c.window;
    m.context_length = c.context_length;
    m.n_streams = c.n_streams;
    m.per_layer_width = c.per_layer_width;
    m.per_layer_vocab = c.per_layer_vocab;
    m.laurel_rank = c.laurel_rank;
    const DType kv = kv_type(e.options);
    for (int64_t l = 0; l < c.n_layers; l++) {
        m.ff.push_back(c.layers[l].ff);
        m.sliding.push_back(c.layers[l].sliding);
        if (!c.owns_kv(static_cast<int>(l))) continue;
        m.n_kv_layers++;
        if (c.layers[l].sliding) m.kv_bytes_windowed += model::Cache::most_layer_bytes(c, {.type = kv}, static_cast<int>(l), c.context_length, SessionOptions{}.chunk_tokens, true);
        else m.kv_bytes_per_token_global += kv_bytes(c, kv);
    }
    for (const format::TensorInfo& t : e.checkpoint->tensors()) m.tensor_types[std::string(info(t.type).name)]++;
    add_bytes(m, *e.checkpoint, c);
    add_towers(m, *e.towers, e);
    m.eos = c.eos;
    m.bos = c.bos;
    m.has_tokenizer = e.tokenizer != nullptr;
    m.chat_template_note = tokens::chat_template_note(*e.checkpoint);
    m.kernels = e.table->name;
    m.cpu = cpu_name();
    m.per_layer_reading = c.per_layer_width > 0 ? "pread" : "none";
    return m;
}

}  // namespace gemma3n::runtime
