// The tiny Gemma 3n whose every weight is a formula, against numbers computed apart from this engine in double precision:
// embeddings, per-layer inputs, keys, values, streams, hidden state and logits, whole and as a slice. The tolerance is 2e-4 of the
// largest reference value; a last test shows that each usual mistake of an implementation lies far outside of it.
#include "gemma3n/engine.h"
#include "kernels/table.h"
#include "model/checkpoint_dir.h"
#include "model/formula.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace gemma3n::test {
namespace {

constexpr int64_t hidden = 32, n_layers = 10, ff = 48, per_layer = 8, vocab = 64, per_layer_vocab = 60, rank = 4, n_streams = 4;
const std::vector<int> ids = {2, 5, 17, 33, 8, 41, 59, 3, 22, 7, 62, 12};
constexpr double tolerance = 2e-4;

// Amplitudes of the formula for this model, by kind of tensor.
FormulaTensor tensor(const std::string& name, std::vector<int64_t> shape) {
    if (shape.size() == 1) return {name, shape, 1, 0.25};
    const auto is = [&](const char* part) { return name.find(part) != std::string::npos; };
    double spread = std::sqrt(3.0 / static_cast<double>(shape[1]));
    if (is("embed_tokens") || is("_coefs")) spread = 0.5;
    if (is("modality_router")) spread = std::sqrt(3.0 / hidden) * hidden;
    return {name, shape, 0, spread};
}

std::vector<FormulaTensor> layer_tensors(int64_t l, bool owns_kv) {
    const std::string p = "layers." + std::to_string(l) + ".";
    std::vector<FormulaTensor> t;
    for (const char* norm : {"input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm",
                             "post_per_layer_input_norm", "altup.router_norm", "laurel.post_laurel_norm"}) {
        t.push_back(tensor(p + norm + ".weight", {hidden}));
    }
    t.push_back(tensor(p + "altup.correct_output_scale", {hidden}));
    t.push_back(tensor(p + "altup.correction_coefs.weight", {n_streams, n_streams}));
    t.push_back(tensor(p + "altup.prediction_coefs.weight", {n_streams * n_streams, n_streams}));
    t.push_back(tensor(p + "altup.modality_router.weight", {n_streams, hidden}));
    t.push_back(tensor(p + "laurel.linear_left.weight", {rank, hidden}));
    t.push_back(tensor(p + "laurel.linear_right.weight", {hidden, rank}));
    t.push_back(tensor(p + "self_attn.q_proj.weight", {32, hidden}));
    t.push_back(tensor(p + "self_attn.o_proj.weight", {hidden, 32}));
    t.push_back(tensor(p + "self_attn.q_norm.weight", {8}));
    if (owns_kv) {
        t.push_back(tensor(p + "self_attn.k_proj.weight", {16, hidden}));
        t.push_back(tensor(p + "self_attn.v_proj.weight", {16, hidden}));
        t.push_back(tensor(p + "self_attn.k_norm.weight", {8}));
    }
    t.push_back(tensor(p + "mlp.gate_proj.weight", {ff, hidden}));
    t.push_back(tensor(p + "mlp.up_proj.weight", {ff, hidden}));
    t.push_back(tensor(p + "mlp.down_proj.weight", {hidden, ff}));
    t.push_back(tensor(p + "per_layer_input_gate.weight", {per_layer, hidden}));
    t.push_back(tensor(p + "per_layer_projection.weight", {hidden, per_layer}));
    return t;
}

std::vector<FormulaTensor> global_tensors() {
    std::vector<FormulaTensor> t = {tensor("embed_tokens.weight", {vocab, hidden}), tensor("norm.weight", {hidden}),
                                    tensor("embed_tokens_per_layer.weight", {per_layer_vocab, n_layers * per_layer}),
                                    tensor("per_layer_model_projection.weight", {n_layers * per_layer, hidden}),
                                    tensor("per_layer_projection_norm.weight", {per_layer})};
    for (int i = 0; i < n_streams - 1; i++) {
        t.push_back(tensor("altup_projections." + std::to_string(i) + ".weight", {hidden, hidden}));
        t.push_back(tensor("altup_unembed_projections." + std::to_string(i) + ".weight", {hidden, hidden}));
    }
    return t;
}

PlainTensor plain(const FormulaTensor& t) { return {"model." + t.name, t.shape, t.values()}; }

std::string config_json(int64_t layers, int64_t width, int64_t n_shared, const std::vector<bool>& full, int n_sparse) {
    std::string types, sparsity;
    for (int64_t l = 0; l < layers; l++) {
        const char* comma = l ? "," : "";
        types += comma + std::string(full[l] ? "\"full_attention\"" : "\"sliding_attention\"");
        sparsity += comma + std::string(l < n_sparse ? "0.95" : "0.0");
    }
    return "{\"model_type\":\"gemma3n_text\",\"vocab_size\":64,\"vocab_size_per_layer_input\":60,\"hidden_size\":32,\"intermediate_size\":" +
           std::to_string(width) + ",\"num_hidden_layers\":" + std::to_string(layers) +
           ",\"num_attention_heads\":4,\"num_key_value_heads\":2,\"head_dim\":8,\"hidden_size_per_layer_input\":8,\"laurel_rank\":4,"
           "\"sliding_window\":4,\"num_kv_shared_layers\":" + std::to_string(n_shared) +
           ",\"altup_num_inputs\":4,\"altup_active_idx\":0,\"altup_coef_clip\":120.0,\"altup_correct_scale\":true,\"rms_norm_eps\":1e-6,"
           "\"final_logit_softcapping\":30.0,\"max_position_embeddings\":1024,\"rope_theta\":1000000.0,\"rope_local_base_freq\":10000.0,"
           "\"activation_sparsity_pattern\":[" + sparsity + "],\"layer_types\":[" + types + "]}";
}

void write_whole(const CheckpointDir& dir) {
    std::vector<PlainTensor> t;
    for (const FormulaTensor& g : global_tensors()) t.push_back(plain(g));
    for (int64_t l = 0; l < n_layers; l++)
        for (const FormulaTensor& w : layer_tensors(l, l < 5)) t.push_back(plain(w));
    std::vector<bool> full(n_layers);
    full[4] = full[9] = true;
    dir.write(config_json(n_layers, ff, 5, full, 3), t);
}

// Rows or columns of a [rows, cols] tensor that `keep` accepts.
template <class Keep>
PlainTensor kept(PlainTensor t, bool by_row, Keep keep) {
    std::vector<float> v;
    int64_t n = 0;
    const int64_t rows = t.shape[0], cols = t.shape[1];
    for (int64_t i = 0; i < (by_row ? rows : cols); i++) n += keep(i);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++)
            if (keep(by_row ? r : c)) v.push_back(t.values[r * cols + c]);
    return {t.name, by_row ? std::vector<int64_t>{n, cols} : std::vector<int64_t>{rows, n}, std::move(v)};
}

// Layer 7 left out, the first half of every feed-forward kept.
void write_sliced(const CheckpointDir& dir) {
    constexpr int64_t skipped = 7, width = 24;
    const auto of_kept_layer = [](int64_t i) { return i / per_layer != skipped; };
    const auto in_prefix = [](int64_t i) { return i < width; };
    std::vector<PlainTensor> t;
    for (const FormulaTensor& g : global_tensors()) {
        PlainTensor p = plain(g);
        if (g.name == "embed_tokens_per_layer.weight") p = kept(p, false, of_kept_layer);
        if (g.name == "per_layer_model_projection.weight") p = kept(p, true, of_kept_layer);
        t.push_back(p);
    }
    std::vector<bool> full;
    for (int64_t l = 0; l < n_layers; l++) {
        if (l == skipped) continue;
        const std::string was = "layers." + std::to_string(l) + ".", is = "layers." + std::to_string(full.size()) + ".";
        full.push_back(l == 4 || l == 9);
        for (const FormulaTensor& w : layer_tensors(l, l < 5)) {
            PlainTensor p = plain(w);
            if (w.name.find("gate_proj") != std::string::npos || w.name.find("up_proj") != std::string::npos) p = kept(p, true, in_prefix);
            if (w.name.find("down_proj") != std::string::npos) p = kept(p, false, in_prefix);
            p.name.replace(p.name.find(was), was.size(), is);
            t.push_back(p);
        }
    }
    dir.write(config_json(n_layers - 1, width, 4, full, 3), t);
}

struct Traced {
    std::map<std::string, TraceTensor> tensors;
    const std::vector<float>& operator[](const std::string& name) const { return tensors.at(name).values; }
    const std::vector<int64_t>& shape(const std::string& name) const { return tensors.at(name).shape; }
};

std::shared_ptr<Engine> load(const std::string& path, const std::string& kernels) {
    auto engine = Engine::load(path, {.threads = 2, .kernels = kernels, .activations = Activations::f32});
    if (!engine) {
        ADD_FAILURE() << engine.error().message;
        return nullptr;
    }
    return *engine;
}

Traced trace(Engine& engine) {
    Traced out;
    auto session = engine.new_session();
    std::vector<StepRow> rows;
    for (const int id : ids) rows.push_back({session->get(), id, nullptr, true});
    const auto logits = engine.trace(rows, {}, [&](const TraceTensor& t) { out.tensors[t.name] = t; });
    if (!logits) ADD_FAILURE() << logits.error().message;
    return out;
}

double max_abs(std::span<const float> v) {
    double m = 0;
    for (const float x : v) m = std::max<double>(m, std::fabs(x));
    return m;
}

void expect_starts(std::span<const float> got, const std::vector<double>& expected, const char* what) {
    double scale = 0;
    for (const double e : expected) scale = std::max(scale, std::fabs(e));
    for (size_t i = 0; i < expected.size(); i++) EXPECT_NEAR(got[i], expected[i], tolerance * scale) << what << " [" << i << "]";
}

std::span<const float> row(const std::vector<float>& v, int64_t r, int64_t cols) { return {v.data() + r * cols, static_cast<size_t>(cols)}; }

const std::vector<double> logits_11 = {0.579222698, 0.409961270, 0.072146495, 0.361528548, -0.523445539, -0.944667283, -0.817105026, 0.996014020,
                                       1.132378366, -0.480931440, 1.017697995, 0.343629753, -0.472611037, -1.761816033, 0.049763659, -0.547796131};
constexpr double logits_11_sum = 5.515179500, logits_11_max = 2.747495898;

class GoldenFormula : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        for (const kernels::Entry& e : kernels::all())
            if (e.table->name == GetParam() && !e.supported) GTEST_SKIP() << "kernels '" << GetParam() << "' cannot run on this CPU";
    }
};

TEST(Formula, MakesThePublishedWeights) {
    EXPECT_EQ(formula_seed("norm.weight"), 0xe45e883176c5ce0fu);
    EXPECT_DOUBLE_EQ(formula_unit(formula_seed("norm.weight"), 0), -0.4741046280904526);
    const auto norm = tensor("norm.weight", {hidden}).values();
    EXPECT_FLOAT_EQ(norm[0], 0.8814738429773868);
    EXPECT_FLOAT_EQ(norm[2], 1.0352614845226449);
    const auto embed = tensor("embed_tokens.weight", {vocab, hidden}).values();
    EXPECT_FLOAT_EQ(embed[0], -0.2153473888981634);
    EXPECT_FLOAT_EQ(embed[2], 0.33735218598245564);
    EXPECT_FLOAT_EQ(tensor("layers.0.self_attn.q_proj.weight", {32, hidden}).values()[1], -0.2941304522549446);
}

TEST_P(GoldenFormula, InnerValuesOfTheFirstToken) {
    const CheckpointDir dir;
    write_whole(dir);
    const auto engine = load(dir.path(), GetParam());
    ASSERT_TRUE(engine);
    EXPECT_EQ(engine->info().kernels, GetParam());
    const Traced t = trace(*engine);
    ASSERT_EQ(t.shape("embeds"), (std::vector<int64_t>{12, hidden}));
    expect_starts(t["embeds"], {-1.5393793608959154, 0.17409628009720707, -1.4249995511702012}, "x_0 initial");
    ASSERT_EQ(t.shape("per_layer_inputs"), (std::vector<int64_t>{12, n_layers, per_layer}));
    expect_starts(t["per_layer_inputs"], {0.9243732621656735, -0.6327506546985057, -0.41831058887620326}, "per_layer_input[0]");
    expect_starts(row(t["per_layer_inputs"], 9, per_layer), {0.010958691434357109, 0.5073831346830455, -0.35050310069287677}, "per_layer_input[9]");
    ASSERT_EQ(t.shape("layers.0.k"), (std::vector<int64_t>{12, 2, 8}));
    expect_starts(t["layers.0.k"], {1.235600765043954, 0.48608690568662577, -0.4529080200581481}, "K head 0, layer 0");
    expect_starts(t["layers.0.v"], {-0.2641088365417143, -1.5340918978547498, 0.30291673162174876}, "V head 0, layer 0");
    ASSERT_EQ(t.shape("layers.0.streams"), (std::vector<int64_t>{4, 12, hidden}));
    expect_starts(t["layers.0.streams"], {-2.1642574553127965, -1.4437977545251677, -1.7904496385171806}, "x_0 after layer 0");
    expect_starts(row(t["layers.0.streams"], 12, hidden), {0.05233940960506134, -3.7559136526201087, 3.5008189591112435}, "x_1 after layer 0");
    EXPECT_FALSE(t.tensors.contains("layers.5.k")) << "a layer that reads a donor's cache owns none";
}

TEST_P(GoldenFormula, StreamsOfTheLastToken) {
    struct Sums {
        int layer;
        double sum[4], squares[4];
    };
    const Sums table[] = {
        {0, {-25.446056751, -38.736846340, -5.422159485, -17.402551195}, {225.216680250, 363.170868309, 156.557784811, 222.325445497}},
        {2, {-60.118596654, 8.931775240, 5.486600212, 50.015958220}, {1365.172525542, 404.403355448, 799.398059475, 1016.052529787}},
        {3, {-57.123512084, 35.045389456, 38.284634527, 58.089545166}, {1798.556859055, 2054.800937179, 2095.818536024, 1365.154377407}},
        {4, {-59.711725081, 79.528145717, 78.469590008, 93.373872842}, {3783.733377590, 3859.359321670, 2847.492483749, 3052.458830484}},
        {5, {-40.489754248, 114.435373300, -6.070244739, 75.096370028}, {980.043339913, 10854.520258399, 328.377895956, 3460.881995406}},
        {9, {22.721569250, 85.747755577, 105.319132943, 60.168746891}, {1564.301770902, 3541.188369371, 7004.131639000, 1580.364645836}},
    };
    const CheckpointDir dir;
    write_whole(dir);
    const auto engine = load(dir.path(), GetParam());
    ASSERT_TRUE(engine);
    const Traced t = trace(*engine);
    const auto sums = [](std::span<const float> v) {
        double sum = 0, squares = 0;
        for (const double x : v) sum += x, squares += x * x;
        return std::pair(sum, squares);
    };
    const auto [sum, squares] = sums(row(t["embeds"], 11, hidden));
    EXPECT_NEAR(sum, -14.701760059, tolerance * 14.7);
    EXPECT_NEAR(squares, 87.649636159, tolerance * 87.6);
    for (const Sums& s : table) {
        const auto& streams = t["layers." + std::to_string(s.layer) + ".streams"];
        for (int i = 0; i < 4; i++) {
            const auto [sum_i, squares_i] = sums(row(streams, i * 12 + 11, hidden));
            // a sum of 32 values, each within the tolerance of the largest
            EXPECT_NEAR(sum_i, s.sum[i], tolerance * std::sqrt(s.squares[i])) << "layer " << s.layer << " stream " << i;
            EXPECT_NEAR(squares_i, s.squares[i], tolerance * s.squares[i]) << "layer " << s.layer << " stream " << i;
        }
    }
}

TEST_P(GoldenFormula, LogitsOfEveryToken) {
    const CheckpointDir dir;
    write_whole(dir);
    const auto engine = load(dir.path(), GetParam());
    ASSERT_TRUE(engine);
    const Traced t = trace(*engine);
    ASSERT_EQ(t.shape("logits"), (std::vector<int64_t>{12, vocab}));
    expect_starts(row(t["hidden"], 11, hidden),
                  {-2.105504973, -0.619648922, -0.150982229, 0.963426689, 1.730805530, -0.316097474, -0.670032813, 0.387439823}, "hidden");
    const auto last = row(t["logits"], 11, vocab);
    for (size_t i = 0; i < logits_11.size(); i++) EXPECT_NEAR(last[i], logits_11[i], tolerance * logits_11_max) << "logit " << i;
    EXPECT_NEAR(std::accumulate(last.begin(), last.end(), 0.0), logits_11_sum, 8 * tolerance * logits_11_max);
    const std::pair<int, double> best[] = {{20, 4.536731048}, {18, 3.300374364}, {37, 3.242579979}, {25, 3.661728216},
                                           {13, 4.643788900}, {41, 3.355737682}, {22, 3.747249742}, {12, 2.790991058},
                                           {1, 2.911064782},  {58, 2.803111250}, {42, 2.182496289}, {61, 2.747495898}};
    for (int64_t i = 0; i < 12; i++) {
        const auto l = row(t["logits"], i, vocab);
        const auto top = std::max_element(l.begin(), l.end());
        EXPECT_EQ(top - l.begin(), best[i].first) << "position " << i;
        EXPECT_NEAR(*top, best[i].second, tolerance * best[i].second) << "position " << i;
    }
}

TEST_P(GoldenFormula, OnlyTheLastTokensLogitsAreTheSame) {
    const CheckpointDir dir;
    write_whole(dir);
    const auto engine = load(dir.path(), GetParam());
    ASSERT_TRUE(engine);
    for (const int64_t chunk : {1, 2, 3, 5, 11, 12}) {
        auto session = engine->new_session({.chunk_tokens = chunk});
        const auto logits = (*session)->append(ids);
        ASSERT_TRUE(logits) << logits.error().message;
        for (size_t i = 0; i < logits_11.size(); i++) EXPECT_NEAR((*logits)[i], logits_11[i], tolerance * logits_11_max) << "chunk " << chunk << " logit " << i;
    }
}

TEST_P(GoldenFormula, Slice) {
    const CheckpointDir dir;
    write_sliced(dir);
    const auto engine = load(dir.path(), GetParam());
    ASSERT_TRUE(engine);
    EXPECT_EQ(engine->info().n_layers, 9);
    const Traced t = trace(*engine);
    const auto last = row(t["logits"], 11, vocab);
    const double expected[] = {0.808466354, -0.840468591, -1.198004478, 1.919255596, -1.684278275, 1.407985312, -1.881552583, 0.434221691};
    const double scale = max_abs(last);
    for (int i = 0; i < 8; i++) EXPECT_NEAR(last[i], expected[i], tolerance * scale) << "logit " << i;
    EXPECT_NEAR(std::accumulate(last.begin(), last.end(), 0.0), -2.542584672, 8 * tolerance * scale);
    EXPECT_EQ(std::max_element(last.begin(), last.end()) - last.begin(), 34);
}

// What the last position's first three logits and their sum become when one thing is done wrong. Each lies at least twenty
// tolerances from what this engine says, so that LogitsOfEveryToken would have seen it.
TEST_P(GoldenFormula, UsualMistakesLieFarOutsideTheTolerance) {
    struct Mistake {
        const char* what;
        double logits[3], sum;
    };
    const Mistake mistakes[] = {
        {"deviation with n - 1", {0.626915175, 0.536683674, 0.035432717}, 6.815722099},
        {"window one too small", {-1.188425240, 0.946784501, 0.124534096}, -15.819786290},
        {"window one too large", {0.342527091, -0.731607400, 0.507209842}, 0.514430606},
        {"prediction coefficients transposed", {0.410677014, 0.557775290, -3.081494625}, 16.419533156},
        {"correction coefficients transposed", {0.011511545, 0.855194902, -0.664942575}, -8.516369375},
        {"one theta for all layers", {0.135291795, 0.299199222, 0.236260335}, 2.569602992},
        {"no activation sparsity", {1.104997659, -0.336711067, -1.092745118}, 7.726712823},
        {"all shared layers read layer 4", {2.976954006, -0.137370797, 0.423379108}, 13.221547664},
        {"norm weight + 1", {-1.114411345, -2.607468169, 0.537509432}, -65.439918127},
        {"the per-layer table's last row for an id beyond it", {0.179161865, -0.272542806, 0.126078694}, 5.990786491},
    };
    const CheckpointDir dir;
    write_whole(dir);
    const auto engine = load(dir.path(), GetParam());
    ASSERT_TRUE(engine);
    const Traced t = trace(*engine);
    const auto last = row(t["logits"], 11, vocab);
    const double sum = std::accumulate(last.begin(), last.end(), 0.0);
    for (const Mistake& m : mistakes) {
        double distance = 0;
        for (int i = 0; i < 3; i++) distance = std::max(distance, std::fabs(last[i] - m.logits[i]));
        EXPECT_GT(distance, 20 * tolerance * logits_11_max) << m.what;
        EXPECT_GT(std::fabs(sum - m.sum), 20 * 8 * tolerance * logits_11_max) << m.what;
    }
}

std::vector<std::string> table_names() {
    std::vector<std::string> names;
    for (const kernels::Entry& e : kernels::all()) names.emplace_back(e.table->name);
    return names;
}
INSTANTIATE_TEST_SUITE_P(Kernels, GoldenFormula, testing::ValuesIn(table_names()), [](const auto& p) {
    std::string name = p.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

}  // namespace
}  // namespace gemma3n::test
