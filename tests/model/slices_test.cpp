// Slices by name and from files: the published table against its own counts, and a sentence for each that a model cannot be.
#include "model/slices.h"

#include "base/temporary_file.h"
#include "model/checkpoint_dir.h"

#include <gtest/gtest.h>

#include <map>

namespace gemma3n::test {
namespace {

using model::Config;
using model::find_slice;

// A network of so many layers, of which the first `owners` own keys and values; every fifth is global.
Config network(int n_layers, int owners, int64_t ff, int64_t hidden = 2048) {
    Config c;
    c.n_layers = n_layers;
    c.hidden = hidden;
    int last[2] = {-1, -1};
    for (int l = 0; l < n_layers; l++) {
        const bool sliding = (l + 1) % 5 != 0;
        if (l < owners) last[sliding] = l;
        c.layers.push_back({sliding, ff, -INFINITY, last[sliding]});
    }
    return c;
}
const Config e4b = network(35, 20, 16384), small = network(10, 5, 64, 8);

class SliceNames : public testing::Test {
protected:
    void SetUp() override {
        dir_.write("{}", {{"model.embed_tokens.weight", {2, 1}, {0, 0}}});
        auto c = format::Checkpoint::open(dir_.path());
        ASSERT_TRUE(c) << c.error().message;
        file_ = *c;
    }
    Result<Slice> find(const Config& c, const std::string& name) const { return find_slice(c, *file_, name); }
    std::string name_of(const Config& c, const std::string& name) const {
        const auto s = find(c, name);
        return s ? s->name : s.error().message;
    }
    CheckpointDir dir_;
    std::shared_ptr<format::Checkpoint> file_;
};

// Parameters of the core by the formula of the published shapes, dead keys and values included: the exact counts of the list.
TEST(PublishedSlices, HaveTheirExactCounts) {
    const std::map<std::string, int64_t> exact = {
        {"e4b", 3980491248}, {"e2b", 1905495648}, {"1.96b-layer", 1955827296}, {"2.54b-layer", 2520873456}, {"2.69b-layer", 2671868400}, {"2.98b-layer", 2973858288},
        {"3.18b-layer", 3175184880}, {"3.39b-layer", 3376511472}, {"3.59b-layer", 3577838064}, {"3.79b-layer", 3779164656}, {"2.49b-block", 2470541808},
        {"2.73b-block", 2722200048}, {"2.98b-block", 2973858288}, {"3.24b-block", 3225516528}, {"3.49b-block", 3477174768}, {"3.79b-block", 3728833008}};
    const auto all = model::published_slices(e4b);
    ASSERT_EQ(all.size(), exact.size());
    for (const model::ListedSlice& s : all) {
        EXPECT_TRUE(model::check_layers(e4b, s.slice, ""));
        int64_t n = 256 + 2 * 3 * 2048 * 2048 + 2048;
        for (const int64_t ff : s.slice.ff) n += 10485760 + 512 + 3 * 2048 * ff + 10240 + 1048576 + 12368 + 264192 + 256 * 2048;
        EXPECT_EQ(n, exact.at(s.slice.name)) << s.slice.name;
    }
}

TEST_F(SliceNames, ABareSizeIsTheBestListedAtOrBelowIt) {
    EXPECT_EQ(name_of(e4b, "full"), "full");
    EXPECT_EQ(name_of(e4b, "2.98b"), "2.98b-layer") << "of equals the one by layers";
    EXPECT_EQ(name_of(e4b, "3.74b"), "3.59b-layer");
    EXPECT_EQ(name_of(e4b, "3.9B"), "3.59b-layer") << "of equals the smaller";
    EXPECT_EQ(name_of(e4b, "3.5b"), "3.39b-layer");
    EXPECT_EQ(name_of(e4b, "2.53b"), "2.49b-block");
    EXPECT_EQ(name_of(e4b, "4b"), "3.59b-layer");
    EXPECT_EQ(name_of(e4b, "1.95b"), "e2b");
    EXPECT_NE(name_of(e4b, "1.9b").find("no slice of this model is listed at or below it"), std::string::npos);
    EXPECT_EQ(name_of(network(30, 20, 8192), "e2b"), "e2b");
    EXPECT_EQ(find(e4b, "e2b")->layers.size(), 30u);
}

TEST_F(SliceNames, OthersAreRefusedWithWhatThereIs) {
    Config c = small;
    c.slices = {{"half", {0, 1, 2, 3, 4}, {32, 32, 32, 32, 32}}};
    EXPECT_EQ(name_of(c, "half"), "half");
    EXPECT_EQ(name_of(c, "e2b"), "size 'e2b' is a slice of Gemma 3n E4B, and this model, of 10 layers, is not one: it has full, half");
    EXPECT_EQ(name_of(c, "e5b"), "size 'e5b' is not known: this model has full, half; or name a .json or .csv file");
    EXPECT_EQ(name_of(c, "2b"), "size '2b': no slice of this model is listed at or below it: it has full, half");
    EXPECT_EQ(name_of(c, ""), "size '' is not known: this model has full, half; or name a .json or .csv file");
}

std::string refusal(Slice s) {
    const Status ok = model::check_layers(small, s, "it");
    return ok ? "(accepted)" : ok.error().message;
}

TEST(SliceRules, AreSaid) {
    const std::vector<int> all = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    EXPECT_EQ(refusal({"", all, std::vector<int64_t>(10, 64)}), "(accepted)");
    EXPECT_EQ(refusal({"", {1, 3, 4, 9}, {1, 1, 1, 1}}), "(accepted)") << "layers 0 and 2 own keys and values that no other reads";
    EXPECT_EQ(refusal({"", {0, 1, 2}, {1, 1, 1}}), "(accepted)") << "nobody is left to read the donors";
    EXPECT_EQ(refusal({"", {}, {}}), "it keeps no layer: expected at least one");
    EXPECT_EQ(refusal({"", {0, 1}, {64}}), "it has 1 feed-forward widths for 2 layers: expected one for each layer that it keeps");
    EXPECT_EQ(refusal({"", {0, 10}, {64, 64}}), "it keeps layer 10: the model has layers 0 to 9");
    EXPECT_EQ(refusal({"", {1, 0}, {64, 64}}), "it keeps layer 0 after layer 1: expected ascending numbers");
    EXPECT_EQ(refusal({"", {0, 1}, {64, 65}}), "it has width 65 in layer 1: expected 1 to 64, the layer's own");
    EXPECT_EQ(refusal({"", {0, 3, 5, 9}, {1, 1, 1, 1}}), "it skips layer 4, whose keys and values layer 9 reads: expected it to keep the layers that others read: 3, 4");
}

TEST(SliceRules, CachesAreSharedByTheSameOwners) {
    const Slice whole = model::whole(small), shorter{"", {0, 1, 2, 3, 4, 8, 9}, std::vector<int64_t>(7, 2)}, without_two{"", {0, 1, 3, 4, 5, 6, 7, 8, 9}, std::vector<int64_t>(9, 2)};
    EXPECT_TRUE(model::shares_cache(small, whole, shorter));
    EXPECT_FALSE(model::shares_cache(small, whole, without_two));
    EXPECT_EQ(model::last_kv_owner(small, whole), 4);
    const Config c = model::sliced(small, shorter);
    EXPECT_EQ(c.n_layers, 7);
    EXPECT_EQ(c.layers[5].kv_donor, 3);
    EXPECT_EQ(c.layers[6].kv_donor, 4);
    EXPECT_EQ(c.layers[6].ff, 2);
    const Config d = model::sliced(small, without_two);
    EXPECT_EQ(d.layers[2].kv_donor, 2) << "layer 3 is layer 2 now, and its own donor still";
    EXPECT_EQ(d.layers[4].kv_donor, 2);
}

TEST_F(SliceNames, JsonFiles) {
    const auto in_file = [&](const std::string& json, const std::string& name = "") -> std::string {
        const std::string path = dir_.path() + "/s.json";
        std::ofstream(path) << json;
        const auto s = find(small, path + name);
        if (!s) return s.error().message.substr(s.error().message.find("s.json") + 6);
        std::string text = s->name + ":";
        for (size_t i = 0; i < s->layers.size(); i++) text += " " + std::to_string(s->layers[i]) + "/" + std::to_string(s->ff[i]);
        return text;
    };
    EXPECT_EQ(in_file(R"({"skip": [5, 6, 7, 8], "widths": 32})"), "s: 0/32 1/32 2/32 3/32 4/32 9/32");
    EXPECT_EQ(in_file(R"({"name": "x", "layers": [3, 4, 9], "widths": [1, 2, 3]})"), "x: 3/1 4/2 9/3");
    const std::string two = R"([{"name": "x", "layers": [0]}, {"name": "y", "layers": [1], "widths": [7]}])";
    EXPECT_EQ(in_file(two, ":y"), "y: 1/7");
    EXPECT_NE(in_file(two).find("lists 2 slices: expected"), std::string::npos);
    EXPECT_EQ(in_file(two, ":z"), ": has no slice 'z': it has x, y");
    EXPECT_EQ(in_file(R"({"name": "x", "layer": [0]})"), ": a slice has the field 'layer': expected name, layers, skip and widths");
    EXPECT_EQ(in_file(R"([{"layers": [0]}, {"name": "y"}])"), ": a slice has no name: expected one for each of 2");
    EXPECT_EQ(in_file(R"([{"name": "y"}, {"name": "y"}])"), ": two slices are named 'y'");
    EXPECT_EQ(in_file(R"({"layers": [0], "skip": [1]})"), ": a slice has both 'layers' and 'skip': expected one of them");
    EXPECT_EQ(in_file(R"({"layers": [0.5]})"), ": 'layers' holds 0.5: expected numbers of layers");
    EXPECT_EQ(in_file(R"({"skip": [10]})"), ": 'skip' holds 10: the model has layers 0 to 9");
    EXPECT_EQ(in_file(R"({"widths": [0]})"), ": 'widths' holds 0: expected whole numbers above 0");
    EXPECT_EQ(in_file(R"({"name": "x", "skip": [4]})"), ": slice 'x' skips layer 4, whose keys and values layer 9 reads: expected it to keep the layers that others read: 3, 4");
    EXPECT_EQ(in_file("[]"), ": lists no slice");
    EXPECT_EQ(in_file("[3]"), ": a slice is not an object: expected {\"name\", \"layers\" or \"skip\", \"widths\"}");
    EXPECT_NE(in_file("{").find("is not valid JSON"), std::string::npos);
}

TEST(SliceFiles, CsvAsItIsPublished) {
    const std::string heading = "name,# Layers,# Effective Params (B),MMLU PT accuracy,FFN Hidden Dims,Layers Skipped\n";
    const std::string row = R"(Config for X,9,0.1,50%,"[8 * 4, 2_0 * 3, 64, 64, 64, 1, 1, 1, 1]","[7]")";
    const auto s = model::slices_from_csv(heading + row + "\r\n\n", small, "f");
    ASSERT_TRUE(s) << s.error().message;
    ASSERT_EQ(s->size(), 1u);
    EXPECT_EQ((*s)[0].name, "Config for X");
    EXPECT_EQ((*s)[0].layers, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 8, 9}));
    EXPECT_EQ((*s)[0].ff, (std::vector<int64_t>{32, 60, 64, 64, 64, 1, 1, 1, 1}));
    const auto refused = [&](const std::string& csv) { return model::slices_from_csv(csv, small, "f").error().message; };
    EXPECT_EQ(refused("a,9,1\n"), "f: line 1: has 3 fields: expected name, layers, billions, MMLU, widths, skipped layers");
    EXPECT_EQ(refused("a,9,1,2,\"[4 *, 3]\",\n"), "f: line 1: '[4 *, 3]' is not a list like [2_048 * 4, 2_048 * 8]");
    EXPECT_EQ(refused("a,9,1,2,[99999999 * 99999999],\n"), "f: line 1: '[99999999 * 99999999]' is not a list like [2_048 * 4, 2_048 * 8]");
    EXPECT_EQ(refused(heading), "f: lists no slice");
    EXPECT_EQ(refused("a,9,1,2,[1],[7]\n"), "f: slice 'a' has 1 feed-forward widths for 9 layers: expected one for each layer that it keeps");
}

TEST(SliceFiles, WhatIsWrittenIsRead) {
    const std::vector<Slice> s = {{"a \"x\" \\\n", {3, 4, 9}, {1, 2, 3}}, {"y", {0}, {64}}};
    const auto again = model::slices_from_json(model::slices_to_json(s), small, "f");
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(again->size(), 2u);
    for (int i : {0, 1}) EXPECT_TRUE(model::same_network((*again)[i], s[i]) && (*again)[i].name == s[i].name);
}

}  // namespace
}  // namespace gemma3n::test
