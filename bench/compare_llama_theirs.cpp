// llama.cpp's side: its own defaults (flash attention, repacked weights, ubatch 512), logits of the last token only.
#include "compare_llama_common.h"

#include <ggml-backend.h>
#include <llama.h>

#include <algorithm>

namespace {

class Theirs final : public compare::Side {
public:
    Theirs(llama_model* m, llama_context* c) : c_(c) { vocab = llama_vocab_n_tokens(llama_model_get_vocab(m)); }
    const float* append(const std::vector<int>& ids) override {
        std::vector<llama_token> tokens(ids.begin(), ids.end());
        if (llama_decode(c_, llama_batch_get_one(tokens.data(), static_cast<int32_t>(tokens.size())))) return nullptr;
        llama_synchronize(c_);
        return llama_get_logits_ith(c_, -1);
    }
    void clear() override { llama_memory_clear(llama_get_memory(c_), true); }

private:
    llama_context* c_;
};

}  // namespace

int main(int argc, char** argv) {
    const compare::Options o = compare::Options::parse(argc, argv);
    llama_log_set([](ggml_log_level level, const char* text, void*) { if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr); }, nullptr);
    ggml_backend_load_all();
    llama_backend_init();
    const double start = compare::now();
    llama_model_params m = llama_model_default_params();
    m.progress_callback = [](float, void*) { return true; };  // instead of dots
    llama_model* model = llama_model_load_from_file(o.model.c_str(), m);
    if (!model) return 1;
    int longest = 16;
    for (const int n : o.prefills) longest = std::max(longest, n);
    for (const int n : o.decode_at) longest = std::max(longest, n + o.decode);
    llama_context_params p = llama_context_default_params();
    p.n_ctx = static_cast<uint32_t>((longest + 64 + 255) / 256 * 256);
    p.n_batch = 2048;
    p.n_ubatch = 512;
    p.n_threads = p.n_threads_batch = o.threads;
    p.no_perf = true;
    p.swa_full = false;
    llama_context* context = llama_init_from_model(model, p);
    if (!context) return 1;
    Theirs side(model, context);
    const int code = compare::run(o, "llama.cpp", side, compare::now() - start, start);
    llama_free(context);
    llama_model_free(model);
    return code;
}
