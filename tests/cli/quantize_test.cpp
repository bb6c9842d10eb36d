// quantize and imatrix: what they write, and one sentence for everything that cannot be meant.
#include "cli/command.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace gemma3n::test {
namespace {

namespace fs = std::filesystem;

std::string in(const std::string& name) { return folder().path() + "/" + name; }

const std::string& tiny_hf() {
    static const std::string path = [] {
        const Ran made = command({"synth", "--size", "tiny", "--type", "bf16", "--seed", "3", "-o", in("tiny-hf")});
        if (made.code != 0) throw std::runtime_error("the tiny directory cannot be made: " + made.err);
        return in("tiny-hf");
    }();
    return path;
}

Ran quantize(const std::string& input, const std::string& type, const std::string& output, Args more = {}) {
    Args a{"quantize", input, "--type", type, "-o", in(output)};
    a.insert(a.end(), more.begin(), more.end());
    return command(a);
}

std::string logits(const std::string& model) {
    const Ran r = command({"trace", model, "--ids", "5,17,300,9,44", "--only", "^logits$", "--activations", "f32", "-o", in("logits.safetensors")});
    if (r.code != 0) throw std::runtime_error(r.err);
    return read_file(in("logits.safetensors"));
}

// No temporary file stays whatever happened.
void expect_nothing_left(const std::string& output) {
    EXPECT_FALSE(fs::exists(in(output)));
    for (const auto& e : fs::directory_iterator(folder().path())) EXPECT_EQ(e.path().string().find(".part"), std::string::npos) << e.path();
}

TEST(Quantize, ADirectoryAsOneFileSaysTheSame) {
    const std::string expected = logits(tiny_hf());
    for (const char* type : {"f32", "bf16"}) {
        const Ran r = quantize(tiny_hf(), type, "plain.gguf");
        ASSERT_EQ(r.code, 0) << r.err;
        EXPECT_EQ(r.out + r.err, "");
        EXPECT_EQ(logits(in("plain.gguf")), expected) << type << ": bf16 weights are exact in both";
    }
    const std::string text = "Hello  world, 12 \xC3\xA4\xE2\x82\xAC\n\n<end_of_turn>";
    EXPECT_EQ(command({"tokenize", in("plain.gguf"), text}).out, command({"tokenize", tiny_hf(), text}).out);
}

TEST(Quantize, TheSameBytesForAnyThreads) {
    for (const char* type : {"q4_0", "q4_k_m", "q3_k_m", "iq4_xs"}) {
        ASSERT_EQ(quantize(tiny_hf(), type, "one.gguf", {"-t", "1"}).code, 0);
        ASSERT_EQ(quantize(tiny_hf(), type, "two.gguf", {"-t", "2"}).code, 0);
        const std::string one = read_file(in("one.gguf"));
        EXPECT_GT(one.size(), 1000000u);
        EXPECT_EQ(one, read_file(in("two.gguf"))) << type;
    }
}

TEST(Quantize, AGgufKeepsItsMetadataAndItsTensorsOfTheSameType) {
    const Ran r = quantize(tiny(), "q8_0", "again.gguf");
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.err, "") << "nothing is quantised twice";
    EXPECT_EQ(logits(in("again.gguf")), logits(tiny()));
}

TEST(Quantize, SaysWhenItRequantises) {
    const Ran r = quantize(tiny(), "q4_0", "twice.gguf");
    EXPECT_EQ(r.code, 0);
    EXPECT_NE(r.err.find("quantised already and lose twice"), std::string::npos) << r.err;
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1);
}

TEST(Quantize, RulesDecideByName) {
    const std::string rules = write_file("rules", "# wide ones\n\nblk\\.0\\.ffn_down q8_0\nffn_(up|gate|down) q5_0\n");
    ASSERT_EQ(quantize(tiny_hf(), "q4_0", "ruled.gguf", {"--rules", rules}).code, 0);
    const std::string shown = command({"show", in("ruled.gguf"), "--json"}).out;
    EXPECT_NE(shown.find("\"q5_0\""), std::string::npos) << shown;
    EXPECT_NE(shown.find("\"q8_0\""), std::string::npos) << shown;
}

const std::string& towers_hf() {
    static const std::string path = [] {
        const Ran made = command({"synth", "--size", "tiny", "--type", "bf16", "--towers", "-o", in("towers-hf")});
        if (made.code != 0) throw std::runtime_error(made.err);
        return in("towers-hf");
    }();
    return path;
}

TEST(Quantize, ADirectoryWithTowersGivesTwoFiles) {
    const Ran r = quantize(towers_hf(), "f16", "two.gguf");
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_NE(r.err.find("mmproj-two.gguf: takes the 138 tensors of vision and audio"), std::string::npos) << r.err;
    EXPECT_EQ(logits(in("two.gguf")).size(), logits(towers_hf()).size());
    const std::string named = in("elsewhere.gguf");
    ASSERT_EQ(quantize(towers_hf(), "q8_0", "three.gguf", {"--mmproj", named}).code, 0);
    EXPECT_FALSE(fs::exists(in("mmproj-three.gguf")));
    // a projector file by itself, from the f16 file: the same blocks as from the directory but for f16's rounding, so the same size
    const Ran again = quantize(in("mmproj-two.gguf"), "q8_0", "again-mm.gguf");
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(again.err, "");
    EXPECT_EQ(fs::file_size(in("again-mm.gguf")), fs::file_size(named));
    // and back to four dimensions
    ASSERT_EQ(quantize(named, "f16", "back-mm.gguf").code, 0);
    EXPECT_EQ(fs::file_size(in("back-mm.gguf")), fs::file_size(in("mmproj-two.gguf")));
    const Ran text = quantize(towers_hf(), "q8_0", "only.gguf", {"--text-only"});
    ASSERT_EQ(text.code, 0);
    EXPECT_NE(text.err.find("138 tensors of vision and audio are left out"), std::string::npos) << text.err;
    EXPECT_FALSE(fs::exists(in("mmproj-only.gguf")));
}

TEST(Quantize, ASynthesisedProjectorIsTheOneThatQuantizeWrites) {
    ASSERT_EQ(command({"synth", "--size", "tiny", "--type", "f32", "--towers", "-o", in("made.gguf")}).code, 0);
    ASSERT_EQ(command({"synth", "--size", "tiny", "--type", "f32", "--towers", "-o", in("made-hf")}).code, 0);
    ASSERT_EQ(quantize(in("made-hf"), "f32", "converted.gguf").code, 0);
    const std::string a = read_file(in("mmproj-made.gguf")), b = read_file(in("mmproj-converted.gguf"));
    constexpr size_t header = 20000;  // the names of the models differ
    ASSERT_GT(a.size(), 8u << 20);
    EXPECT_TRUE(a.substr(header) == b.substr(b.size() - a.size() + header));
}

TEST(Quantize, RulesReachTowers) {
    const std::string rules = write_file("tower-rules", "^v\\..*pw_exp q4_0\n^a\\.blk\\.0\\.ffn_up bf16\n");
    ASSERT_EQ(quantize(towers_hf(), "q8_0", "ruled-mm.gguf", {"--rules", rules}).code, 0);
    ASSERT_EQ(quantize(towers_hf(), "q8_0", "unruled-mm.gguf").code, 0);
    EXPECT_LT(fs::file_size(in("mmproj-ruled-mm.gguf")), fs::file_size(in("mmproj-unruled-mm.gguf")) + 200000);
    EXPECT_NE(read_file(in("mmproj-ruled-mm.gguf")), read_file(in("mmproj-unruled-mm.gguf")));
}

struct Refused {
    Args args;
    std::string says;
    int code;
};

TEST(Quantize, OneSentenceForWhatCannotBeMeant) {
    const std::string hf = tiny_hf(), out = in("refused.gguf");
    fs::create_directories(in("a-directory"));
    const std::string no_weights = in("no-weights");
    fs::create_directories(no_weights);
    fs::copy_file(hf + "/config.json", no_weights + "/config.json", fs::copy_options::overwrite_existing);
    const std::string not_whole = in("cut.gguf");
    std::ofstream(not_whole, std::ios::binary) << read_file(tiny()).substr(0, 100000);
    const auto rules = [](const char* name, const char* content) { return write_file(name, content); };
    const Refused all[] = {
        {{hf, "--type", "q9_9", "-o", out}, "type 'q9_9' is not known: expected f32, f16", 2},
        {{hf, "-o", out}, "quantize needs --type", 2},
        {{hf, "--type", "q8_0"}, "quantize needs --output", 2},
        {{hf, "--type", "q8_0", "-o", in("a-directory")}, "is a directory: expected the name of a file", 1},
        {{tiny(), "--type", "q8_0", "-o", tiny()}, "is the input: expected another file", 2},
        {{hf, "--type", "q8_0", "-o", hf + "/model.safetensors"}, "is the input: expected another file", 2},
        {{in("nowhere"), "--type", "q8_0", "-o", out}, "no such file or directory", 1},
        {{no_weights, "--type", "q8_0", "-o", out}, "model.safetensors", 1},
        {{not_whole, "--type", "q8_0", "-o", out}, "cut.gguf", 1},
        {{hf, "--type", "q8_0", "-o", in("no/such/folder.gguf")}, "cannot be created: No such file or directory", 1},
        {{hf, "--type", "q8_0", "-o", out, "--rules", rules("r1", "ffn_(up q8_0\n")}, "line 1 has 'ffn_(up', which is not a regular expression", 2},
        {{hf, "--type", "q8_0", "-o", out, "--rules", rules("r2", "\nffn_up q7_0\n")}, "line 2 has type 'q7_0': expected one of f32", 2},
        {{hf, "--type", "q8_0", "-o", out, "--rules", rules("r3", "ffn_up\n")}, "line 1 is 'ffn_up': expected a regular expression and a type", 2},
        {{hf, "--type", "q8_0", "-o", out, "--rules", rules("r4", "ffn q4_0\nffn_up q8_0\n")}, "line 2, 'ffn_up', decides no tensor", 2},
        {{hf, "--type", "q8_0", "-o", out, "--rules", rules("r5", "# nothing\n")}, "holds no rule", 2},
        {{hf, "--type", "q8_0", "-o", out, "--rules", rules("r6", "laurel_r q4_k\n")}, "whose blocks hold 256 values: its rows have", 2},
        {{hf, "--type", "q4_0", "-o", out, "--imatrix", rules("i1", "\x03")}, "is not an importance matrix", 1},
        {{hf, "--type", "q4_0", "-o", out, "--imatrix", tiny()}, "its general.type is 'model': expected imatrix", 1},
        {{hf, "--type", "q8_0", "-o", out, "--mmproj", in("mm.gguf")}, "has no towers of vision and audio beside a text model", 2},
        {{towers_hf(), "--type", "q8_0", "-o", out, "--mmproj", out}, "is the output for the text model too", 2},
        {{towers_hf(), "--type", "q8_0", "-o", out, "--mmproj", out, "--text-only"}, "--text-only", 2},
        {{hf, "--type", "bf16", "-o", out, "--imatrix", in("im.gguf")}, "--imatrix says how to round to blocks: type bf16 has none", 2},
    };
    for (const Refused& r : all) {
        Args a{"quantize"};
        a.insert(a.end(), r.args.begin(), r.args.end());
        const Ran ran = command(a);
        EXPECT_EQ(ran.code, r.code) << ran.err;
        EXPECT_EQ(ran.out, "");
        EXPECT_NE(ran.err.find(r.says), std::string::npos) << r.says << "\n" << ran.err;
        expect_nothing_left("refused.gguf");
    }
}

// A GGUF file that lacks a matrix: refused by name before anything is written.
TEST(Quantize, AMissingTensorIsNamed) {
    std::string bytes = read_file(tiny());
    const std::string name = "blk.0.ffn_up.weight";
    const size_t at = bytes.find(name);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, name.size(), "blk.0.ffn_ux.weight");
    const Ran r = quantize(write_file("misses-a-matrix.gguf", bytes), "q4_0", "refused.gguf");
    EXPECT_EQ(r.code, 1);
    EXPECT_NE(r.err.find("tensor 'layers.0.mlp.up_proj.weight' is missing"), std::string::npos) << r.err;
    expect_nothing_left("refused.gguf");
}

TEST(Imatrix, IsMadeAndUsed) {
    const std::string text = write_file("text.txt", "Some words, and some more of them. 1 2 3 4 5 6 7 8 9. The end is not near.\n");
    const Ran made = command({"imatrix", tiny(), text, "-o", in("im.gguf"), "-c", "16"});
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_EQ(made.out + made.err, "");
    const Ran r = quantize(tiny_hf(), "q4_0", "weighted.gguf", {"--imatrix", in("im.gguf")});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_NE(r.err.find("has entries for"), std::string::npos) << "the tables have none: " << r.err;
    ASSERT_EQ(quantize(tiny_hf(), "q4_0", "plain.gguf").code, 0);
    EXPECT_NE(logits(in("weighted.gguf")), logits(in("plain.gguf")));
    const std::string first = read_file(in("im.gguf"));
    ASSERT_EQ(command({"imatrix", tiny(), text, "-o", in("im.gguf"), "-c", "16"}).code, 0);
    EXPECT_EQ(read_file(in("im.gguf")), first) << "the same text gives the same bytes";
}

TEST(Imatrix, OneSentenceForWhatCannotBeMeant) {
    const std::string text = write_file("text.txt", "Some words.\n");
    const Refused all[] = {
        {{tiny(), text}, "imatrix needs --output", 2},
        {{tiny(), text, "-o", in("im2.gguf"), "-c", "1"}, "is '1': expected a whole number, 2 to", 2},
        {{tiny(), text, "-o", in("im2.gguf"), "-c", "99999999"}, "the model's context has room for", 2},
        {{tiny(), in("no-text"), "-o", in("im2.gguf")}, "no-text", 1},
    };
    for (const Refused& r : all) {
        Args a{"imatrix"};
        a.insert(a.end(), r.args.begin(), r.args.end());
        const Ran ran = command(a);
        EXPECT_EQ(ran.code, r.code) << ran.err;
        EXPECT_NE(ran.err.find(r.says), std::string::npos) << r.says << "\n" << ran.err;
        expect_nothing_left("im2.gguf");
    }
}

}  // namespace
}  // namespace gemma3n::test
