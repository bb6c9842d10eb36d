// Hugging Face directories: shards and prefixes, and the sentence for each way of being bad.
#include "format/checkpoint.h"

#include "format/gguf_builder.h"
#include "model/checkpoint_dir.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

using format::Checkpoint;

const std::vector<PlainTensor> three = {{"model.language_model.norm.weight", {4}, {1, 2, 3, 4}},
                                        {"model.language_model.layers.0.mlp.up_proj.weight", {2, 3}, {1, 2, 3, 4, 5, 6}},
                                        {"model.language_model.embed_tokens.weight", {3, 1}, {7, 8, 9}}};

std::string file(const std::string& header, const std::string& data, uint64_t announced = 0) {
    return bytes_of<uint64_t>(announced ? announced : header.size()) + header + data;
}
void put(const CheckpointDir& dir, const std::string& name, const std::string& content) {
    std::ofstream(dir.path() + "/" + name, std::ios::binary | std::ios::trunc) << content;
}

// The sentence for this model.safetensors, without the path in front.
std::string refusal(const std::string& bytes, Code code = Code::bad_file) {
    const CheckpointDir dir;
    put(dir, "config.json", "{}");
    put(dir, "model.safetensors", bytes);
    const auto c = Checkpoint::open(dir.path());
    if (c) return "(accepted)";
    EXPECT_EQ(c.error().code, code) << c.error().message;
    const std::string& m = c.error().message;
    for (const std::string& path : {dir.path() + "/model.safetensors: ", dir.path() + ": "})
        if (m.starts_with(path)) return m.substr(path.size());
    return m;
}

TEST(Safetensors, OneFileOrShards) {
    for (const int shards : {1, 2, 3}) {
        for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
            const CheckpointDir dir;
            dir.write("{\"x\":1}", three, type, shards);
            const auto c = Checkpoint::open(dir.path() + "///");
            ASSERT_TRUE(c) << c.error().message;
            EXPECT_EQ((*c)->path(), dir.path());
            EXPECT_EQ((*c)->config_json(), "{\"x\":1}");
            EXPECT_EQ((*c)->files().size(), static_cast<size_t>(shards));
            const auto* up = (*c)->find("layers.0.mlp.up_proj.weight");
            ASSERT_TRUE(up);
            EXPECT_EQ(up->stored_name, three[1].name);
            EXPECT_EQ(up->rows, 2);
            EXPECT_EQ(up->cols, 3);
            EXPECT_EQ(up->type, type);
            const auto* norm = (*c)->find("norm.weight");
            ASSERT_TRUE(norm);
            EXPECT_EQ(norm->rows, 1);
            if (type == DType::f32) {
                EXPECT_EQ((*c)->view(*norm).f32()[3], 4);
            }
            EXPECT_FALSE((*c)->find("norm"));
        }
    }
}

TEST(Safetensors, EveryPrefix) {
    for (const char* prefix : {"model.language_model.", "language_model.model.", "language_model.", "model.", ""}) {
        const CheckpointDir dir;
        dir.write("{}", {{std::string(prefix) + "layers.3.input_layernorm.weight", {1}, {5}}});
        const auto c = Checkpoint::open(dir.path());
        ASSERT_TRUE(c) << c.error().message;
        EXPECT_TRUE((*c)->find("layers.3.input_layernorm.weight")) << prefix;
    }
}

TEST(Safetensors, TowersMayHaveTypesThatTheTextNetworkDoesNotRead) {
    const std::string header = R"({"__metadata__":{"format":"pt"},"model.vision_tower.n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                               R"("model.norm.weight":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})";
    const CheckpointDir dir;
    put(dir, "config.json", "{}");
    put(dir, "model.safetensors", file(header + std::string(8 - header.size() % 8, ' '), std::string(16, 'x')));
    const auto c = Checkpoint::open(dir.path());
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ((*c)->tensors().size(), 1u);
}

TEST(Safetensors, SideFiles) {
    const CheckpointDir dir;
    dir.write("{}", three);
    put(dir, "tokenizer.json", "text");
    const auto c = Checkpoint::open(dir.path());
    ASSERT_TRUE(c);
    EXPECT_EQ(*(*c)->side_file("tokenizer.json"), "text");
    EXPECT_EQ((*c)->side_file("other.json").error().code, Code::not_found);
}

TEST(Safetensors, RefusesBadDirectories) {
    const CheckpointDir dir;
    EXPECT_EQ(Checkpoint::open(dir.path()).error().message, dir.path() + ": has no config.json: expected a .gguf file or a directory with config.json and model.safetensors");
    put(dir, "config.json", "{}");
    EXPECT_EQ(Checkpoint::open(dir.path()).error().message, dir.path() + "/model.safetensors: cannot be opened: No such file or directory");
    const std::string index = dir.path() + "/model.safetensors.index.json: ";
    const auto with_index = [&](const std::string& text) {
        put(dir, "model.safetensors.index.json", text);
        const auto c = Checkpoint::open(dir.path());
        return c ? "(accepted)" : c.error().message;
    };
    EXPECT_EQ(with_index("{").substr(0, index.size() + 28), index + "weight_map is not valid JSON");
    EXPECT_EQ(with_index("[]").substr(0, index.size() + 28), index + "weight_map is not valid JSON");
    EXPECT_EQ(with_index(R"({"weight_map":{"a":"b.safetensors"}})"), dir.path() + "/b.safetensors: cannot be opened: No such file or directory");
    for (const char* escape : {"../other.safetensors", "/etc/passwd", "..", "a/b", "", "a/../../b"}) {
        EXPECT_EQ(with_index(std::string(R"({"weight_map":{"a":")") + escape + "\"}}"), index + "tensor 'a' is mapped to something that is not a file name") << escape;
    }
    EXPECT_EQ(with_index(R"({"weight_map":{"a":7}})"), index + "tensor 'a' is mapped to something that is not a file name");
    put(dir, "b.safetensors", file("{}", ""));
    EXPECT_EQ(with_index(R"({"weight_map":{"model.a":"b.safetensors"}})"), index + "tensor 'model.a' should be in b.safetensors, which does not have it");
    EXPECT_EQ(with_index(R"({"weight_map":{"model.vision_tower.a":"b.safetensors"}})"), "(accepted)");
}

TEST(Safetensors, RefusesBadHeaders) {
    EXPECT_EQ(refusal("1234567"), "has 7 bytes: expected a safetensors header");
    EXPECT_EQ(refusal(file("{}", "", 1000)), "announces a header of 1000 bytes: the file has 10 (is it a safetensors file?)");
    EXPECT_EQ(refusal(file("{}", "", ~uint64_t{0})), "announces a header of 18446744073709551615 bytes: the file has 10 (is it a safetensors file?)");
    EXPECT_EQ(refusal(file("{", "")).substr(0, 29), "its header is not valid JSON:");
    EXPECT_EQ(refusal(file("[1]", "")).substr(0, 29), "its header is not valid JSON:");
    EXPECT_EQ(refusal(file(std::string(100000, '['), "")).substr(0, 29), "its header is not valid JSON:");
    EXPECT_EQ(refusal(file("{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}", "")).substr(0, 29), "its header is not valid JSON:");
}

TEST(Safetensors, AHeaderOfGigabytesIsRefusedBeforeItIsRead) {
    const CheckpointDir dir;
    put(dir, "config.json", "{}");
    put(dir, "model.safetensors", bytes_of<uint64_t>(3'000'000'000));
    std::filesystem::resize_file(dir.path() + "/model.safetensors", 4'000'000'000);  // a hole
    const auto c = Checkpoint::open(dir.path());
    ASSERT_FALSE(c);
    EXPECT_EQ(c.error().message, dir.path() + "/model.safetensors: announces a header of 3000000000 bytes: expected 100000000 at most");
}

TEST(Safetensors, RefusesBadTensors) {
    const auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets, size_t n_bytes = 64) {
        std::string header = R"({"t":{"dtype":)" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
        header.resize((header.size() + 7) / 8 * 8, ' ');
        return file(header, std::string(n_bytes, 'x'));
    };
    EXPECT_EQ(refusal(one(R"("F32")", "[16]", "[0,64]")), "(accepted)");
    EXPECT_EQ(refusal(file(R"({"t":1})", "")), "tensor 't': expected dtype, shape and data_offsets");
    EXPECT_EQ(refusal(file(R"({"t":{"dtype":"F32","shape":[1]}})", "")), "tensor 't': expected dtype, shape and data_offsets");
    EXPECT_EQ(refusal(one("7", "[16]", "[0,64]")), "tensor 't': expected dtype, shape and data_offsets");
    EXPECT_EQ(refusal(one(R"("F64")", "[8]", "[0,64]"), Code::unsupported), "tensor 't' has type F64: expected F32, F16 or BF16");
    for (const char* shape : {"[0]", "[-1]", "[1.5]", "[\"a\"]", "[9223372036854775808]", "[1099511627777]", "[1099511627776,1099511627776]", "[65536,65536,65536,65536]"})
        EXPECT_EQ(refusal(one(R"("F32")", shape, "[0,64]")), "tensor 't': its shape is not a list of sizes that a file can hold") << shape;
    for (const char* offsets : {"[0]", "[0,32,64]", "[64,0]", "[0,65]", "[-4,60]", "[0,18446744073709551615]", "[\"0\",64]"})
        EXPECT_EQ(refusal(one(R"("F32")", "[16]", offsets)), "tensor 't': its data_offsets do not lie inside the 64 bytes of data (truncated?)") << offsets;
    EXPECT_EQ(refusal(one(R"("F32")", "[15]", "[0,64]")), "tensor 't' has 64 bytes: its shape needs 60");
    EXPECT_EQ(refusal(one(R"("BF16")", "[2,16]", "[0,62]")), "tensor 't' has 62 bytes: its shape needs 64");
    EXPECT_NE(refusal(one(R"("F32")", "[1]", "[2,6]"), Code::unsupported).find("expected a multiple of 4"), std::string::npos);

    const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
    const auto two = [&](const std::string& name, const std::string& offsets) {
        std::string header = "{" + a + ",\"" + name + R"(":{"dtype":"F32","shape":[2],"data_offsets":)" + offsets + "}}";
        header.resize((header.size() + 7) / 8 * 8, ' ');
        return refusal(file(header, std::string(16, 'x')));
    };
    EXPECT_EQ(two("a", "[8,16]"), "tensor 'a' appears twice");
    EXPECT_EQ(two("model.a", "[8,16]"), "tensor 'model.a' appears twice");
    EXPECT_EQ(two("b", "[4,12]"), "tensors 'a' and 'b' share bytes of the file: expected each to have its own");
    EXPECT_EQ(two("b", "[8,16]"), "(accepted)");
}

}  // namespace
}  // namespace gemma3n::test
