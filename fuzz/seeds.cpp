// fuzz_seeds DIRECTORY: writes the seed corpora anew, from the same tiny model that the tests break.
#include "mini_model.h"

#include "model/tiny_model.h"

#include <filesystem>
#include <fstream>

using gemma3n::test::CheckpointDir;
using gemma3n::test::GgufBuilder;
using gemma3n::test::TinyModel;

static std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

int main(int argc, char** argv) {
    if (argc != 2) return 1;
    const std::filesystem::path root = argv[1];
    const auto put = [&](const char* target, const char* name, const std::string& content) {
        std::filesystem::create_directories(root / target);
        std::ofstream(root / target / name, std::ios::binary | std::ios::trunc) << content;
    };
    put("gguf", "whole.gguf", TinyModel::gguf());
    GgufBuilder plain;
    TinyModel::metadata(plain);
    TinyModel::weights(plain);
    plain.version = 2;
    put("gguf", "no-tokens-v2.gguf", plain.build());
    GgufBuilder header;
    TinyModel::metadata(header);
    put("gguf", "metadata-only.gguf", header.build());

    const CheckpointDir dir, shards;
    gemma3n::synth::Options towers;
    towers.towers = true;
    for (const auto& [mix, name] : {std::pair{gemma3n::format::Mix::f16, "whole.gguf"}, {gemma3n::format::Mix::q8_0, "quantised.gguf"}}) {
        if (!gemma3n::synth::write_gguf(gemma3n::fuzz::mini_shape(), mix, shards.path() + "/m.gguf", towers)) return 1;
        put("projector", name, read(shards.path() + "/mmproj-m.gguf"));
    }
    TinyModel::write(dir, gemma3n::DType::bf16);
    put("safetensors", "whole.safetensors", read(dir.path() + "/model.safetensors"));
    put("safetensors", "index.json", "{\"metadata\":{},\"weight_map\":{\"model.language_model.norm.weight\":\"model.safetensors\"}}");
    put("config", "nested.json", TinyModel::config_json());
    put("config", "new-rope.json",
        R"({"model_type":"gemma3n_text","hidden_size":8,"num_hidden_layers":4,"intermediate_size":8,"num_attention_heads":2,"num_key_value_heads":1,)"
        R"("head_dim":4,"hidden_size_per_layer_input":4,"vocab_size_per_layer_input":288,"sliding_window":4,"num_kv_shared_layers":2,"altup_num_inputs":2,)"
        R"("max_position_embeddings":64,"activation_sparsity_pattern":0.5,"rope_parameters":{"full_attention":{"rope_type":"linear","factor":8.0,)"
        R"("rope_theta":1e6},"sliding_attention":{"rope_theta":1e4}},"_sliding_window_pattern":2})");
    put("config", "gemma3.json", R"({"model_type":"gemma3","text_config":{"model_type":"gemma3_text","query_pre_attn_scalar":256,"sliding_window_pattern":6,"rope_scaling":{"type":"linear","factor":8}}})");
    put("config", "towers.json", R"({"model_type":"gemma3n","vision_soft_tokens_per_image":64,"image_token_id":285,"audio_token_id":287,"vision_config":{"vocab_offset":284,)"
                                 R"("vocab_size":2,"rms_norm_eps":1e-6},"audio_config":{"vocab_offset":286,"vocab_size":2,"conf_attention_context_left":13,)"
                                 R"("sscp_conv_stride_size":[[2,2],[2,2]]},)" +
                                     TinyModel::config_json().substr(TinyModel::config_json().find('{') + 1));
    put("tokenizer_json", "tiny.json", TinyModel::tokenizer_json());
    put("tokenizer_json", "few.json",
        R"({"added_tokens":[{"id":0,"content":"<bos>","special":true}],"model":{"vocab":{"<bos>":0,"a":1,"b":2,"ab":3},"merges":["a b"]}})");
    GgufBuilder tokens;
    TinyModel::tokens(tokens);
    put("tokenizer_gguf", "tiny.gguf", tokens.build());
    GgufBuilder few;
    few.strings("tokenizer.ggml.tokens", {"<bos>", "a", "b", "ab", "<0x41>"}).numbers<float>("tokenizer.ggml.scores", gemma3n::test::g_f32, {0, -1, -2, -3, 0});
    few.numbers<int32_t>("tokenizer.ggml.token_type", gemma3n::test::g_i32, {3, 1, 1, 1, 6});
    put("tokenizer_gguf", "few.gguf", few.build());
    put("text", "words", "hello user, a  model\n\nhello");
    put("text", "specials", "<start_of_turn>user\n<bos><0x41>\u2581\u2581a</end_of_turn>");
    put("text", "unicode", "na\u00efve \u65e5\u672c\u8a9e \U0001F600    \u00e9");
    put("text", "broken", "\xF0\x9F\x98 \xC3( \xFF");
    return 0;
}
