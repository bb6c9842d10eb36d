// The published encoder's shapes with formula weights, against the golden numbers of the fact sheet (made by an implementation of its own,
// confirmed by MLX's and by transformers' encoder).
#include "model/audio_tower.h"
#include "model/media/embedder.h"

namespace gemma3n::model {

using test::KeepAll;

namespace {

constexpr float tolerance = 5e-5f;
const std::string sub = "audio.subsample_conv_projection.";

// Values at `at` of a row, within the tolerance.
void expect_row(const KeepAll& seen, const std::string& name, int64_t row, const std::vector<float>& expected, float within = tolerance, int64_t at = 0) {
    const std::vector<float>& v = seen.of(name);
    const int64_t columns = v.empty() ? 0 : seen.row_values.at(name);
    ASSERT_GE(static_cast<int64_t>(v.size()), (row + 1) * columns) << name;
    for (size_t i = 0; i < expected.size(); i++) EXPECT_NEAR(v[row * columns + at + static_cast<int64_t>(i)], expected[i], within) << name << " [" << row << ", " << at + static_cast<int64_t>(i) << "]";
}

struct Statistics {
    double mean, rms, min, max;
};
void expect_statistics(const char* name, const std::vector<const std::vector<float>*>& parts, const Statistics& expected) {
    double sum = 0, squares = 0, low = 1e30, high = -1e30, n = 0;
    for (const auto* part : parts) {
        for (const double x : *part) sum += x, squares += x * x, low = std::min(low, x), high = std::max(high, x);
        n += static_cast<double>(part->size());
    }
    const double printed = 1e-5 * expected.rms + 1e-6;  // figures of the sheet, and our tolerance
    EXPECT_NEAR(sum / n, expected.mean, printed) << name;
    EXPECT_NEAR(std::sqrt(squares / n), expected.rms, printed) << name;
    EXPECT_NEAR(low, expected.min, 1e-4) << name;
    EXPECT_NEAR(high, expected.max, 1e-4) << name;
}

// [t, frequency, channel] at channels 0..3
std::vector<float> channels(const KeepAll& seen, const std::string& name, int64_t t, int64_t f, int64_t n_frequencies) {
    const std::vector<float>& v = seen.of(name);
    const int64_t row = seen.row_values.at(name), n = row / n_frequencies;
    return {v.begin() + t * row + f * n, v.begin() + t * row + f * n + 4};
}
std::vector<float> channel_0_over_time(const KeepAll& seen, const std::string& name, int64_t f, int64_t n_frequencies) {
    std::vector<float> out;
    for (int64_t t = 0; t < 4; t++) out.push_back(channels(seen, name, t, f, n_frequencies)[0]);
    return out;
}
void expect_near(const std::vector<float>& got, const std::vector<float>& expected, const std::string& what) {
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); i++) EXPECT_NEAR(got[i], expected[i], tolerance) << what << " " << i;
}

struct Clips {
    std::vector<float> a = test::audio_signal(30000);
    std::vector<float> b{a.begin(), a.begin() + 12345};
    // In the sheet's batch the second clip is filled up to the first's length: silence that the clip alone would not have.
    std::vector<float> b_filled() const {
        std::vector<float> filled = b;
        filled.resize(30080);
        return filled;
    }
};

void expect_features(const KeepAll& a, const KeepAll& b) {
    const std::string name = "audio.input_features";
    ASSERT_EQ(a.n_rows(name), 185);
    ASSERT_EQ(b.n_rows(name), 185);
    const float near = 1e-5f;
    expect_row(a, name, 0, {-4.553363f, -6.174606f, -4.785036f, -4.024891f, -3.61606f, -3.740482f, -3.89432f, -3.563783f}, near);
    expect_row(a, name, 0, {1.668254f, 1.448985f, 1.611433f, 2.095654f, 2.188845f, 1.869352f, 1.366411f, 2.247217f}, near, 120);
    expect_row(a, name, 1, {-3.615834f, -3.437446f, -3.227816f, -3.206554f, -3.40787f, -3.563525f, -3.872215f, -4.622902f}, near);
    expect_row(a, name, 1, {1.908622f, 1.824718f, 1.557853f, 1.987803f, 2.122818f, 1.860478f, 1.986712f, 1.912967f}, near, 120);
    expect_row(a, name, 77, {-4.53424f, -4.069713f, -3.726415f, -3.397938f, -3.214285f, -3.271779f, -3.542822f, -3.83117f}, near);
    expect_row(a, name, 77, {1.770656f, 1.837801f, 1.5956f, 1.637258f, 1.362574f, 1.387593f, 1.645143f, 1.974024f}, near, 120);
    expect_row(a, name, 184, {-4.04579f, -4.140976f, -4.229631f, -4.129106f, -4.01455f, -3.681991f, -3.005352f, -2.965938f}, near);
    expect_row(a, name, 184, {1.179412f, 1.191753f, 1.277796f, 2.1693f, 2.195297f, 1.755108f, 1.763815f, 1.869394f}, near, 120);
    expect_row(b, name, 77, {-5.558427f, -5.50572f, -5.453371f, -5.401748f, -5.351183f, -5.259267f, -5.22241f, -5.188986f}, near);
    expect_row(b, name, 79, std::vector<float>(8, -11.512925f), near);
    expect_statistics("mel[0]", {&a.of(name)}, {-0.224115, 1.700405, -6.38629, 3.11474});
    expect_statistics("mel[1]", {&b.of(name)}, {-6.77115, 8.828298, -11.5129, 3.11474});
}

void expect_subsampling(const KeepAll& a, const KeepAll& b) {
    const std::string raw_0 = sub + "conv_0.conv", out_0 = sub + "conv_0", raw_1 = sub + "conv_1.conv", out_1 = sub + "conv_1";
    ASSERT_EQ(a.n_rows(out_0), 93);
    ASSERT_EQ(a.n_rows(out_1), 47);
    expect_statistics("conv_0 raw", {&a.of(raw_0), &b.of(raw_0)}, {0.129944, 6.550461, -28.0416, 33.5476});
    expect_near(channels(a, raw_0, 1, 2, 64), {-0.577527f, 2.005412f, 2.079098f, 0.06937565f}, "conv_0 raw");
    expect_near(channel_0_over_time(a, raw_0, 5, 64), {-0.994975f, -1.11658f, -0.6346034f, -0.752983f}, "conv_0 raw over time");
    expect_statistics("conv_0 out", {&a.of(out_0), &b.of(out_0)}, {0.452974, 0.9589598, 0, 14.6827});
    expect_near(channels(a, out_0, 1, 2, 64), {0, 0.8685578f, 1.267852f, 0.0267544f}, "conv_0 out");
    expect_statistics("conv_1 raw", {&a.of(raw_1), &b.of(raw_1)}, {-0.0547991, 0.9499617, -8.35101, 6.92979});
    expect_near(channels(a, raw_1, 1, 2, 32), {-2.097837f, -1.094858f, 0.3998071f, 0.553544f}, "conv_1 raw");
    expect_near(channel_0_over_time(a, raw_1, 5, 32), {-1.678892f, -1.4921f, -1.38962f, -1.204997f}, "conv_1 raw over time");
    expect_statistics("conv_1 out", {&a.of(out_1), &b.of(out_1)}, {0.337805, 0.753166, 0, 8.61567});
    expect_near(channels(a, out_1, 1, 2, 32), {0, 0, 0.4389689f, 0.7111239f}, "conv_1 out");
    expect_statistics("input_proj", {&a.of(sub + "input_proj_linear"), &b.of(sub + "input_proj_linear")}, {0.010194, 0.7497441, -5.81429, 6.64729});
    expect_row(a, sub + "input_proj_linear", 0, {-0.06461589f, 0.1952299f, 0.3291266f, 0.2762814f, 0.2790634f, 1.059538f, 0.8277295f, -0.2200752f});
    expect_row(a, sub + "input_proj_linear", 10, {-0.164197f, 0.281976f, 0.187977f, 0.0565388f});
    expect_row(b, sub + "input_proj_linear", 20, {0.2434101f, 2.800985f, 0.953758f, -1.102814f, 0.5433491f, 4.1796f, 0.3617588f, 2.319669f});
}

// Rows of frames that the padding's mask hides are not asked for.
void expect_first_layer(const KeepAll& a, const KeepAll& b) {
    const std::string layer = "audio.conformer.0.";
    expect_row(a, layer + "ffw_layer_start", 13, {-1.131498f, 0.6939262f, 0.1812071f, -0.152364f, 0.2243415f, 0.790104f, 1.376671f, -0.5327f});
    expect_row(a, layer + "attention", 0, {-0.7603647f, 0.226746f, -0.8172283f, -0.09159842f, 2.284099f, 0.842591f, 0.9277714f, -1.157085f});
    expect_row(a, layer + "attention", 13, {-0.9849231f, 0.7315222f, -0.5986005f, 0.03633042f, 1.84958f, 0.8168012f, 1.171684f, -1.618921f});
    expect_row(b, layer + "attention", 19, {0.1448644f, 2.880873f, -0.9474406f, -0.0284698f, 2.386311f, 4.151821f, -0.5441576f, 1.96205f});
    expect_row(a, layer + "lconv1d", 13, {-1.213064f, 0.06374407f, -1.209873f, 1.107089f, 2.574688f, 0.9953511f, 0.4391146f, -1.259028f});
    expect_row(a, layer + "norm", 13, {-1.000683f, 0.09556842f, -0.8809761f, 0.7638414f, 2.375372f, 0.4032519f, 0.5952801f, -0.7212716f});
    expect_row(b, layer + "norm", 19, {0.2689893f, 1.042577f, -0.6929589f, -0.1134932f, 1.733929f, 1.299533f, -0.2491432f, 0.5541855f});
}

// The encoder needs no more than the last row's frame, the sheet dumps the two behind it as well: every frame becomes a row.
AudioConfig every_frame() {
    AudioConfig config;
    config.reduction = 1;
    return config;
}

class AudioGolden : public test::OnEveryTable {};

}  // namespace

TEST_P(AudioGolden, FrontEndAndFirstLayer) {
    const test::CheckpointDir dir;
    test::write_formula(dir, test::audio_tensors({.n_layers = 1}));
    test::AudioRun run(dir.path(), every_frame(), *table);
    const Clips clips;
    expect_near({clips.a.begin(), clips.a.begin() + 6}, {0.07504398f, 0.19441943f, 0.3466558f, 0.2956505f, 0.35981032f, 0.32129925f}, "sound");
    KeepAll a, b;
    run.rows(clips.a, {}, &a);
    run.rows(clips.b_filled(), {}, &b);
    expect_features(a, b);
    expect_subsampling(a, b);
    expect_first_layer(a, b);
    expect_statistics("L0 after attention", {&a.of("audio.conformer.0.attention")}, {0.00522158, 1.330522, -4.63749, 6.03219});
    expect_statistics("L0 after lconv", {&a.of("audio.conformer.0.lconv1d")}, {0.011244, 1.482735, -5.89023, 6.63657});
    expect_statistics("L0 out", {&a.of("audio.conformer.0.norm")}, {0.00649467, 1.007906, -4.48673, 4.98167});
}

// Attention made sharp, so that the relative term, the cap and the window show.
TEST_P(AudioGolden, SharpAttention) {
    const test::CheckpointDir dir;
    test::write_formula(dir, test::audio_tensors({.n_layers = 1}), [](const std::string& name) { return name.ends_with("q_proj.weight") ? 30.0f : 1.0f; });
    test::AudioRun run(dir.path(), every_frame(), *table);
    KeepAll a;
    run.rows(Clips().a, {}, &a);
    const std::string name = "audio.conformer.0.norm";
    expect_row(a, name, 0, {-0.2801069f, -0.7318088f, -1.447487f, -0.1784012f, 1.914332f, 0.3416654f, 0.1510318f, -0.4913724f});
    expect_row(a, name, 13, {-0.830516f, 0.1765098f, -0.8810856f, 0.8656616f, 2.250414f, 0.3082238f, 0.5478869f, -0.6669437f});
    expect_row(a, name, 46, {-0.5568208f, -0.07597601f, -1.155062f, 0.4413371f, 1.863856f, -0.1320769f, -0.1563947f, 0.3714595f});
    double squares = 0;
    for (const float x : a.of(name)) squares += static_cast<double>(x) * x;
    EXPECT_NEAR(std::sqrt(squares / static_cast<double>(a.of(name).size())), 1.0077249, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(, AudioGolden, testing::ValuesIn(test::every_table()), test::table_name);

#if defined(__SANITIZE_ADDRESS__)
constexpr bool slow_build = true;
#else
constexpr bool slow_build = false;
#endif

TEST(AudioGoldenWhole, TowerToSoftTokens) {
    if (slow_build) GTEST_SKIP() << "2.7 GB of formula weights are not for a build with sanitizers";
    const test::CheckpointDir dir;
    auto tensors = test::audio_tensors({});
    const size_t n_tower = tensors.size();
    EXPECT_EQ(n_tower, 269u);
    int64_t values = 0;
    for (const auto& t : tensors) values += t.size();
    EXPECT_EQ(values, 681348640);
    tensors.insert(tensors.end(), {{"embed_audio.embedding.weight", {128, 1536}},
                                   {"embed_audio.hard_embedding_norm.weight", {1536}},
                                   {"embed_audio.soft_embedding_norm.weight", {1536}},
                                   {"embed_audio.embedding_projection.weight", {2048, 1536}}});
    test::write_formula(dir, tensors);
    test::AudioRun run(dir.path(), {}, *kernels::choose());
    EXPECT_NEAR(run.tower->multiplications_per_second(), 16.4e9, 0.05e9);
    const Clips clips;
    KeepAll a;
    std::vector<float> rows = run.rows(clips.a, {}, &a);
    std::vector<float> rows_b = run.rows(clips.b);
    ASSERT_EQ(rows.size(), 12u * 1536);
    ASSERT_EQ(rows_b.size(), 5u * 1536);
    EXPECT_EQ(run.tower->n_rows(30000), 12);
    EXPECT_EQ(run.tower->n_rows(12345), 5);
    expect_row(a, "audio.conformer.5.norm", 13, {0.4092442f, 2.186856f, 0.1362792f, -0.4871537f, -0.5819139f, 1.339959f, -0.01234732f, 1.283734f});
    expect_row(a, "audio.conformer.11.norm", 13, {-0.6444267f, 0.07058182f, 1.088938f, -0.2188989f, -0.8267728f, -2.467427f, -0.2956591f, 0.5942266f});
    const auto row = [](const std::vector<float>& v, int64_t r, int64_t width) { return std::vector<float>(v.begin() + r * width, v.begin() + r * width + 8); };
    expect_near(row(rows, 0, 1536), {-2.060212f, 0.9802767f, -0.04574271f, 0.1572127f, -0.2224592f, -2.112848f, -0.3159441f, -0.3250183f}, "enc[0,0]");
    expect_near(row(rows, 11, 1536), {-0.7805609f, 0.702821f, 1.218395f, 0.5463148f, -1.444902f, -2.199954f, -0.1615384f, 1.732141f}, "enc[0,11]");
    expect_near(row(rows_b, 4, 1536), {-0.6103302f, -0.07907721f, 1.199081f, -0.3710113f, -0.8953938f, -2.109792f, -0.3163078f, 0.9420956f}, "enc[1,4]");
    expect_statistics("encoder out", {&rows}, {-0.00912954, 1.005755, -3.919, 4.20933});

    OwnedVectors owned;
    Tensors bound(*run.checkpoint, owned);
    auto embedder = Embedder::bind(bound, "embed_audio.", 1536, 2048, AudioConfig().eps);
    ASSERT_TRUE(embedder) << embedder.error().message;
    const auto soft = [&](std::vector<float>& x) {
        const Arena::Scope scope(run.c.scratch);
        const View in = run.c.scratch.view(static_cast<int64_t>(x.size()) / 1536, 1536), out = run.c.scratch.view(in.n_rows, 2048);
        std::copy(x.begin(), x.end(), in.f32());
        embedder->soft(run.c, in, out);
        return std::vector<float>(out.f32(), out.f32() + out.n_rows * 2048);
    };
    const std::vector<float> soft_a = soft(rows), soft_b = soft(rows_b);
    expect_near(row(soft_a, 0, 2048), {0.2764173f, -0.9091977f, -0.3915145f, 2.108307f, 0.1127453f, 2.170411f, 0.8917224f, -0.2350671f}, "soft[0,0]");
    expect_near(row(soft_a, 11, 2048), {1.154384f, -1.024985f, -0.5377612f, 1.527242f, -0.3017898f, 0.9933175f, -0.2498162f, 0.823567f}, "soft[0,11]");
    expect_near(row(soft_b, 4, 2048), {1.240491f, -0.6538727f, -0.4041598f, 2.551371f, -0.3879851f, 1.455661f, 0.1822145f, 0.8460029f}, "soft[1,4]");
    expect_statistics("soft", {&soft_a}, {-0.00382665, 0.9999995, -3.6346, 3.98837});

    const Arena::Scope scope(run.c.scratch);
    const View padding = run.c.scratch.view(1, 2048);
    const int64_t last[] = {127};
    embedder->hard(run.c, last, padding);
    expect_near({padding.f32(), padding.f32() + 8}, {-0.1894543f, -0.3901688f, 0.3212028f, -1.452538f, 1.587038f, 1.119269f, 0.2912449f, 0.6808326f}, "padding");
}

}  // namespace gemma3n::model
