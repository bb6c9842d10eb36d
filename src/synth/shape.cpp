#include "synth/shape.h"

namespace gemma3n::synth {

namespace {

constexpr VocabularyShape published_pieces = {.n_unused = 99, .n_runs = 31, .tags = true, .n_merged = 236249, .n_letters = 19225, .n_tail = 6143};

// E2B, a mix by layers and a mix by blocks, in small.
constexpr SliceShape elastic_slices[] = {
    {.name = "small", .first_skipped = 5, .end_skipped = 10, .narrow = 256, .first_wide = 0, .end_wide = 0},
    {.name = "mix", .first_skipped = 0, .end_skipped = 0, .narrow = 256, .first_wide = 3, .end_wide = 8},
    {.name = "block", .first_skipped = 0, .end_skipped = 0, .narrow = 256, .first_wide = 5, .end_wide = 10},
};

const Shape shapes[] = {
    {.size = "e2b", .title = "Gemma 3n E2B", .is_3n = true,
     .hidden = 2048, .n_layers = 30, .ff = 8192, .n_heads = 8, .n_kv_heads = 2, .head_dim = 256,
     .vocab = 262400, .text_vocab = 262144, .window = 512, .context_length = 32768, .period = 5, .rope_scale = 1,
     .n_streams = 4, .per_layer_width = 256, .laurel_rank = 64, .n_shared = 10, .n_sparse = 10, .pieces = published_pieces,
     .vision = &published_vision, .audio = &published_audio},
    {.size = "e4b", .title = "Gemma 3n E4B", .is_3n = true,
     .hidden = 2048, .n_layers = 35, .ff = 16384, .n_heads = 8, .n_kv_heads = 2, .head_dim = 256,
     .vocab = 262400, .text_vocab = 262144, .window = 512, .context_length = 32768, .period = 5, .rope_scale = 1,
     .n_streams = 4, .per_layer_width = 256, .laurel_rank = 64, .n_shared = 15, .n_sparse = 10, .pieces = published_pieces,
     .vision = &published_vision, .audio = &published_audio},
    {.size = "gemma3-4b", .title = "Gemma 3 4B", .is_3n = false,
     .hidden = 2560, .n_layers = 34, .ff = 10240, .n_heads = 8, .n_kv_heads = 4, .head_dim = 256,
     .vocab = 262208, .text_vocab = 262144, .window = 1024, .context_length = 131072, .period = 6, .rope_scale = 8,
     .n_streams = 0, .per_layer_width = 0, .laurel_rank = 0, .n_shared = 0, .n_sparse = 0, .pieces = published_pieces,
     .vision = nullptr, .audio = nullptr},
    // Rows of 256 throughout, so that every block type fits; the per-layer width and LAuReL's rank are the published ones, which some
    // loaders take for granted.
    {.size = "tiny", .title = "Gemma 3n tiny", .is_3n = true,
     .hidden = 256, .n_layers = 10, .ff = 256, .n_heads = 4, .n_kv_heads = 2, .head_dim = 64,
     .vocab = 480, .text_vocab = 448, .window = 16, .context_length = 4096, .period = 5, .rope_scale = 1,
     .n_streams = 4, .per_layer_width = 256, .laurel_rank = 64, .n_shared = 5, .n_sparse = 4,
     .pieces = {.n_unused = 0, .n_runs = 4, .tags = false, .n_merged = 72, .n_letters = 95, .n_tail = 4}, .vision = &tiny_vision, .audio = &tiny_audio},
    // Tiny with slices of its own: fifteen layers, of which five that share keys and values can be skipped, and two widths.
    {.size = "elastic", .title = "Gemma 3n elastic", .is_3n = true,
     .hidden = 256, .n_layers = 15, .ff = 512, .n_heads = 4, .n_kv_heads = 2, .head_dim = 64,
     .vocab = 480, .text_vocab = 448, .window = 16, .context_length = 4096, .period = 5, .rope_scale = 1,
     .n_streams = 4, .per_layer_width = 256, .laurel_rank = 64, .n_shared = 10, .n_sparse = 4,
     .pieces = {.n_unused = 0, .n_runs = 4, .tags = false, .n_merged = 72, .n_letters = 95, .n_tail = 4}, .vision = &tiny_vision, .audio = &tiny_audio, .slices = elastic_slices},
};

}  // namespace

const Shape* find_shape(std::string_view size) {
    for (const Shape& s : shapes)
        if (s.size == size) return &s;
    return nullptr;
}

std::string slices_json(const Shape& shape) {
    std::string all;
    for (const SliceShape& s : shape.slices) {
        std::string layers, widths;
        for (int64_t l = 0; l < shape.n_layers; l++) {
            if (!s.keeps(l)) continue;
            layers += (layers.empty() ? "" : ", ") + std::to_string(l);
            widths += (widths.empty() ? "" : ", ") + std::to_string(s.wide(l) ? shape.ff : s.narrow);
        }
        all += (all.empty() ? "{\"name\": \"" : ", {\"name\": \"") + std::string(s.name) + "\", \"layers\": [" + layers + "], \"widths\": [" + widths + "]}";
    }
    return all.empty() ? "" : "[" + all + "]";
}

}  // namespace gemma3n::synth
