// Files whose audio tower is not one: one sentence that names the tensor or the number.
#include "model/audio_case.h"

namespace gemma3n::model {

namespace {

class BrokenAudio : public testing::Test {
protected:
    const test::AudioSizes sizes{.width = 16, .n_layers = 2, .n_heads = 2, .inner = 32, .channels_0 = 4, .channels_1 = 2, .bins = 16};
    std::vector<test::NamedShape> tensors = test::audio_tensors(sizes);
    AudioConfig config;
    void SetUp() override { config.n_heads = 2; }

    test::NamedShape& tensor(const std::string& name) {
        for (test::NamedShape& t : tensors)
            if (t.name == name) return t;
        ADD_FAILURE() << name;
        return tensors[0];
    }
    // The sentence that binding ends with; empty if it succeeds.
    std::string sentence() {
        const test::CheckpointDir dir;
        test::write_formula(dir, tensors);
        auto checkpoint = format::Checkpoint::open(dir.path());
        if (!checkpoint) return checkpoint.error().message;
        auto tower = AudioTower::bind(**checkpoint, config);
        return tower ? "" : tower.error().message;
    }
    void expect(const std::string& part) {
        const std::string got = sentence();
        EXPECT_NE(got.find(part), std::string::npos) << "'" << got << "' does not say '" << part << "'";
    }
};

}  // namespace

TEST_F(BrokenAudio, AWholeOneIsBound) { EXPECT_EQ(sentence(), ""); }

TEST_F(BrokenAudio, EveryTensorIsNeeded) {
    const std::vector<test::NamedShape> all = tensors;
    for (size_t i = 0; i < all.size(); i++) {
        if (all[i].name.starts_with("audio_tower.conformer.1.")) continue;  // a layer less is a smaller tower; some of it is not
        tensors = all;
        tensors.erase(tensors.begin() + static_cast<int64_t>(i));
        expect("tensor '" + all[i].name + "' is missing");
    }
    tensors = all;
    std::erase_if(tensors, [](const auto& t) { return t.name == "audio_tower.conformer.1.norm.weight"; });
    expect("tensor 'audio_tower.conformer.1.norm.weight' is missing");
}

TEST_F(BrokenAudio, ALayerThatIsMissingInTheMiddle) {
    std::erase_if(tensors, [](const auto& t) { return t.name.starts_with("audio_tower.conformer.0."); });
    expect("conformer.0.ffw_layer_start.ffw_layer_1.weight' is missing");
}

TEST_F(BrokenAudio, EveryShapeIsChecked) {
    const std::vector<test::NamedShape> all = tensors;
    for (size_t i = 0; i < all.size(); i++) {
        if (all[i].name.find("conv_0.conv") != std::string::npos || all[i].name.find("conv_1.conv") != std::string::npos) continue;
        for (size_t d = 0; d < all[i].shape.size(); d++) {
            tensors = all;
            tensors[i].shape[d] += 2;
            // another kernel of the light convolution, or more mel bins, is another tower, not a broken one
            if (all[i].name.ends_with("depthwise_conv1d.weight") && d == 2) continue;
            if (all[i].name.ends_with("input_proj_linear.weight") && d == 1) continue;
            EXPECT_NE(sentence(), "") << all[i].name << " dimension " << d;
        }
    }
}

TEST_F(BrokenAudio, AKernelOfAnotherSize) {
    tensor("audio_tower.subsample_conv_projection.conv_0.conv.weight").shape = {4, 1, 5, 3};
    expect("expected a convolution of at most 4096 x 1 x 3 x 3");
}

TEST_F(BrokenAudio, ChannelsThatDoNotDivide) {
    tensor("audio_tower.subsample_conv_projection.conv_1.conv.weight").shape = {3, 4, 3, 3};
    tensor("audio_tower.subsample_conv_projection.conv_1.norm.weight").shape = {3};
    expect("expected a multiple of conv_1's 3 channels");
}

TEST_F(BrokenAudio, MoreBinsThanASpectrumHolds) {
    tensor("audio_tower.subsample_conv_projection.input_proj_linear.weight").shape = {16, 2 * 129};
    expect("for 4 to 512 mel bins");
}

TEST_F(BrokenAudio, ALayerWithoutANumber) {
    tensors.push_back({"audio_tower.conformer.x.norm.weight", {16}});
    expect("tensor 'audio_tower.conformer.x.norm.weight' belongs to no layer");
    tensors.back().name = "audio_tower.conformer.99999999999999999999.norm.weight";
    expect("belongs to no layer");
    tensors.back().name = "audio_tower.conformer.1000000.norm.weight";
    expect("belongs to no layer");
}

TEST_F(BrokenAudio, NumbersThatNoEncoderHas) {
    config.context_right = 1;
    expect("audio frames see 1 later ones");
    config = {.n_heads = 3};
    expect("has 3 heads and rows of 16 values");
    config = {.n_heads = 0};
    expect("has 0 heads");
    config = {.n_heads = 2, .context_left = 0};
    expect("sees 0 frames");
    config = {.n_heads = 2, .context_left = 1 << 16};
    expect("sees 65536 frames: expected 1 to 1024");
    config = {.reduction = 0, .n_heads = 2};
    expect("every 0-th audio frame");
    config = {.reduction = int64_t{1} << 40, .n_heads = 2};
    expect("expected 1 to 1024");
}

}  // namespace gemma3n::model
