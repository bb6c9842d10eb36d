// Our side of the comparison with llama.cpp: the public library, nothing else.
#include "compare_llama_common.h"
#include "gemma3n/engine.h"

namespace {

class Ours final : public compare::Side {
public:
    explicit Ours(std::shared_ptr<gemma3n::Engine> e) : engine_(std::move(e)) { vocab = static_cast<int>(engine_->info().vocab); }
    const float* append(const std::vector<int>& ids) override {
        if (!session_) clear();
        auto logits = session_->append(ids);
        if (!logits) {
            fprintf(stderr, "%s\n", logits.error().message.c_str());
            return nullptr;
        }
        return logits->data();
    }
    void clear() override {
        if (session_) return session_->clear();
        if (auto s = engine_->new_session()) session_ = std::move(*s);
        else fprintf(stderr, "%s\n", s.error().message.c_str()), exit(1);
    }

private:
    std::shared_ptr<gemma3n::Engine> engine_;
    std::unique_ptr<gemma3n::Session> session_;
};

}  // namespace

int main(int argc, char** argv) {
    const compare::Options o = compare::Options::parse(argc, argv);
    const double start = compare::now();
    auto engine = gemma3n::Engine::load(o.model, {.threads = o.threads, .kernels = o.kernels});
    if (!engine) {
        fprintf(stderr, "%s\n", engine.error().message.c_str());
        return 1;
    }
    Ours side(*engine);
    side.clear();
    const std::string name = "gemma3n (" + (*engine)->info().kernels + ")";
    return compare::run(o, name.c_str(), side, compare::now() - start, start);
}
