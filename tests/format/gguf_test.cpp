// GGUF files built in memory: what good ones say, and the sentence for each way of being bad.
#include "format/checkpoint.h"

#include "base/temporary_file.h"
#include "format/gguf_builder.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gemma3n::test {
namespace {

using format::Checkpoint;
using format::MetaValue;

std::shared_ptr<Checkpoint> open(const std::string& bytes) {
    const TemporaryFile f(bytes);  // the mapping outlives the name
    auto c = Checkpoint::open(f.path());
    EXPECT_TRUE(c) << c.error().message;
    return c ? *c : nullptr;
}

// The sentence without the path in front.
std::string refusal(const std::string& bytes, Code code = Code::bad_file) {
    const TemporaryFile f(bytes);
    const auto c = Checkpoint::open(f.path());
    if (c) return "(accepted)";
    EXPECT_EQ(c.error().code, code) << c.error().message;
    const std::string& m = c.error().message;
    EXPECT_TRUE(m.starts_with(f.path() + ": ")) << m;
    return m.substr(std::min(m.size(), f.path().size() + 2));
}

template <class T>
T value(const Checkpoint& c, const std::string& key) {
    const auto it = c.metadata().find(key);
    if (it == c.metadata().end() || !std::holds_alternative<T>(it->second)) {
        ADD_FAILURE() << key;
        return {};
    }
    return std::get<T>(it->second);
}

TEST(Gguf, EveryMetadataType) {
    for (const uint32_t version : {2u, 3u}) {
        GgufBuilder b;
        b.version = version;
        b.number<uint8_t>("u8", g_u8, 200).number<int8_t>("i8", g_i8, -100).number<uint16_t>("u16", g_u16, 60000).number<int16_t>("i16", g_i16, -30000);
        b.number<uint32_t>("u32", g_u32, 4000000000u).number<int32_t>("i32", g_i32, -2000000000).number<uint64_t>("u64", g_u64, 1ull << 40);
        b.number<int64_t>("i64", g_i64, -(1ll << 40)).number<float>("f32", g_f32, 0.5f).number<double>("f64", g_f64, 0.1).number<uint8_t>("bool", g_bool, 1);
        b.string("string", "text").string("empty", "");
        b.numbers<uint8_t>("bools", g_bool, {1, 0, 1}).numbers<int16_t>("i16s", g_i16, {-1, 2}).numbers<uint64_t>("u64s", g_u64, {7});
        b.numbers<float>("f32s", g_f32, {1, -INFINITY}).numbers<double>("f64s", g_f64, {}).strings("strings", {"", "a", "bc"});
        const auto c = open(b.build());
        ASSERT_TRUE(c);
        EXPECT_EQ(c->container(), format::Container::gguf);
        EXPECT_EQ(value<int64_t>(*c, "u8"), 200);
        EXPECT_EQ(value<int64_t>(*c, "i8"), -100);
        EXPECT_EQ(value<int64_t>(*c, "u16"), 60000);
        EXPECT_EQ(value<int64_t>(*c, "i16"), -30000);
        EXPECT_EQ(value<int64_t>(*c, "u32"), 4000000000);
        EXPECT_EQ(value<int64_t>(*c, "i32"), -2000000000);
        EXPECT_EQ(value<int64_t>(*c, "u64"), 1ll << 40);
        EXPECT_EQ(value<int64_t>(*c, "i64"), -(1ll << 40));
        EXPECT_EQ(value<double>(*c, "f32"), 0.5);
        EXPECT_EQ(value<double>(*c, "f64"), 0.1);
        EXPECT_EQ(value<bool>(*c, "bool"), true);
        EXPECT_EQ(value<std::string>(*c, "string"), "text");
        EXPECT_EQ(value<std::string>(*c, "empty"), "");
        EXPECT_EQ(value<std::vector<int64_t>>(*c, "bools"), (std::vector<int64_t>{1, 0, 1}));
        EXPECT_EQ(value<std::vector<int64_t>>(*c, "i16s"), (std::vector<int64_t>{-1, 2}));
        EXPECT_EQ(value<std::vector<int64_t>>(*c, "u64s"), (std::vector<int64_t>{7}));
        EXPECT_EQ(value<std::vector<double>>(*c, "f32s"), (std::vector<double>{1, -INFINITY}));
        EXPECT_TRUE(value<std::vector<double>>(*c, "f64s").empty());
        EXPECT_EQ(value<std::vector<std::string_view>>(*c, "strings"), (std::vector<std::string_view>{"", "a", "bc"}));
    }
}

TEST(Gguf, EveryTensorType) {
    GgufBuilder b;
    for (const DTypeInfo& t : dtype_infos) {
        const uint64_t cols = static_cast<uint64_t>(t.block) * 2;
        b.tensor(std::string(t.name), {cols, 3}, static_cast<uint32_t>(t.ggml), std::string(static_cast<size_t>(t.bytes) * 6, static_cast<char>(t.ggml)));
    }
    const auto c = open(b.build());
    ASSERT_TRUE(c);
    ASSERT_EQ(c->tensors().size(), static_cast<size_t>(n_dtypes));
    for (int i = 0; i < n_dtypes; i++) {
        const auto* t = c->find(dtype_infos[i].name);
        ASSERT_TRUE(t);
        EXPECT_EQ(t->type, static_cast<DType>(i));
        EXPECT_EQ(t->rows, 3);
        EXPECT_EQ(t->cols, dtype_infos[i].block * 2);
        EXPECT_EQ(t->bytes, static_cast<uint64_t>(dtype_infos[i].bytes) * 6);
        const View v = c->view(*t);
        EXPECT_EQ(static_cast<int>(*v.raw(2)), dtype_infos[i].ggml);
    }
}

TEST(Gguf, NamesShapesAndAlignment) {
    GgufBuilder b;
    b.alignment = 64;
    b.u32("general.alignment", 64);
    b.tensor("blk.12.ffn_up.weight", {2, 3}, 0, std::string(24, 'a')).tensor("blk.0.post_norm.weight", {4}, 0, std::string(16, 'b'));
    b.tensor("blk.x.ffn_up.weight", {2, 3, 4, 5}, 1, std::string(240, 'c')).tensor("output.weight", {1}, 30, std::string(2, 'd'));
    const auto c = open(b.build());
    ASSERT_TRUE(c);
    const auto* up = c->find("layers.12.mlp.up_proj.weight");
    ASSERT_TRUE(up);
    EXPECT_EQ(up->stored_name, "blk.12.ffn_up.weight");
    EXPECT_EQ(up->shape, (std::vector<int64_t>{3, 2}));
    EXPECT_EQ(up->offset % 64, 0u);
    const auto* norm = c->find("layers.0.post_per_layer_input_norm.weight");
    ASSERT_TRUE(norm);
    EXPECT_EQ(norm->rows, 1);
    EXPECT_EQ(norm->cols, 4);
    EXPECT_EQ(norm->offset, up->offset + 64);
    const auto* other = c->find("blk.x.ffn_up.weight");
    ASSERT_TRUE(other);
    EXPECT_EQ(other->rows, 60);
    EXPECT_EQ(static_cast<char>(*c->view(*c->find("lm_head.weight")).raw()), 'd');
}

TEST(Gguf, StacksOfMatricesBecomeTheirMembers) {
    GgufBuilder b;
    const std::string stack = std::string(16, '0') + std::string(16, '1') + std::string(16, '2');
    b.tensor("altup_proj.weight", {2, 2, 3}, 0, stack).tensor("altup_unembd_proj.weight", {4, 2, 2}, 1, std::string(32, 'u'));
    const auto c = open(b.build());
    ASSERT_TRUE(c);
    EXPECT_EQ(c->tensors().size(), 5u);
    for (int i = 0; i < 3; i++) {
        const auto* t = c->find("altup_projections." + std::to_string(i) + ".weight");
        ASSERT_TRUE(t);
        EXPECT_EQ(t->shape, (std::vector<int64_t>{2, 2}));
        EXPECT_EQ(t->bytes, 16u);
        EXPECT_EQ(static_cast<char>(*c->view(*t).raw(1)), '0' + i);
    }
    EXPECT_TRUE(c->find("altup_unembed_projections.1.weight"));
    EXPECT_EQ(refusal(GgufBuilder().tensor("altup_proj.weight", {1, 1, 65}, 0, std::string(260, 'x')).build()),
              "tensor 'altup_proj.weight' is a stack of 65 matrices: expected 64 at most");
}

TEST(Gguf, RefusesWhatIsNotGguf) {
    EXPECT_EQ(refusal("GGUF"), "is not a GGUF file: it does not begin with a GGUF header");
    EXPECT_EQ(refusal(std::string(100, 'x')), "is not a GGUF file: it does not begin with a GGUF header");
    GgufBuilder b;
    b.version = 1;
    EXPECT_EQ(refusal(b.build()), "GGUF version 1: expected 2 or 3");
    b.version = 3u << 24;
    EXPECT_EQ(refusal(b.build()), "GGUF version 50331648: expected 2 or 3 (a big-endian file?)");
    EXPECT_EQ(refusal(GgufBuilder().u32("split.count", 3).build(), Code::unsupported),
              "is one of 3 parts of a split GGUF: expected a single file (join them with llama-gguf-split --merge)");
    EXPECT_EQ(Checkpoint::open("/no/such/file").error().message, "/no/such/file: no such file or directory: expected a .gguf file or a directory with config.json");
}

TEST(Gguf, RefusesBadMetadata) {
    EXPECT_EQ(refusal(GgufBuilder().raw("k", 13, "").build()), "metadata key 'k': value type 13 is not a GGUF type");
    EXPECT_EQ(refusal(GgufBuilder().raw("k", g_u32, "ab").build()), "metadata key 'k': the file ends inside the value");
    EXPECT_EQ(refusal(GgufBuilder().raw("k", g_string, bytes_of<uint64_t>(1ull << 63)).build()), "metadata key 'k': the file ends inside the value");
    EXPECT_EQ(refusal(GgufBuilder().raw("k", g_array, bytes_of<uint32_t>(g_array) + bytes_of<uint64_t>(1)).build()),
              "metadata key 'k': an array of type 9: expected numbers, booleans or strings");
    for (const uint64_t n : {uint64_t{3}, uint64_t{1} << 61, ~uint64_t{0}}) {
        EXPECT_EQ(refusal(GgufBuilder().raw("k", g_array, bytes_of<uint32_t>(g_u64) + bytes_of<uint64_t>(n) + std::string(16, 'x')).build()),
                  "metadata key 'k': an array of " + std::to_string(n) + " values: the file has only 16 bytes left");
    }
    EXPECT_EQ(refusal(GgufBuilder().raw("k", g_array, bytes_of<uint32_t>(g_string) + bytes_of<uint64_t>(1) + bytes_of<uint64_t>(9)).build()),
              "metadata key 'k': the file ends inside the value");
    EXPECT_EQ(refusal(GgufBuilder().u32("k", 1).u32("k", 2).build()), "metadata key 'k' appears twice");
    EXPECT_EQ(refusal(GgufBuilder().raw("a\x1b[31m\xff", 99, "").build()), "metadata key 'a?[31m?': value type 99 is not a GGUF type");
    GgufBuilder b;
    b.u32("k", 1).n_keys = ~uint64_t{0};
    EXPECT_EQ(refusal(b.build()), "the file ends inside metadata key 1 of 18446744073709551615");
    for (const uint32_t a : {0u, 1u, 4u, 48u, 1u << 21}) {
        EXPECT_EQ(refusal(GgufBuilder().u32("general.alignment", a).build()),
                  "general.alignment is " + std::to_string(a) + ": expected a power of two from 8 to 1048576");
    }
}

TEST(Gguf, RefusesBadTensors) {
    const auto one = [](std::vector<uint64_t> dims, uint32_t type, uint64_t offset = 0, size_t n_bytes = 64) {
        GgufBuilder b;
        b.tensor_at("t", dims, type, offset);
        std::string s = b.build();
        s.resize((s.size() + 31) / 32 * 32 + n_bytes);
        return s;
    };
    EXPECT_EQ(refusal(one({}, 0)), "tensor 't' has 0 dimensions: expected 1 to 4");
    EXPECT_EQ(refusal(one({1, 1, 1, 1, 1}, 0)), "tensor 't' has 5 dimensions: expected 1 to 4");
    EXPECT_EQ(refusal(one({4, 0}, 0)), "tensor 't' has a dimension of 0: expected a size that a file can hold");
    EXPECT_EQ(refusal(one({1ull << 63}, 0)), "tensor 't' has a dimension of 9223372036854775808: expected a size that a file can hold");
    EXPECT_EQ(refusal(one({1ull << 40, 1ull << 40}, 0)), "tensor 't' has a dimension of 1099511627776: expected a size that a file can hold");
    EXPECT_EQ(refusal(one({1ull << 20, 1ull << 20, 1ull << 20, 1ull << 20}, 0)), "tensor 't' has a dimension of 1048576: expected a size that a file can hold");
    EXPECT_EQ(refusal(one({32}, 9), Code::unsupported), "tensor 't' has type q8_1, which is not supported");
    EXPECT_EQ(refusal(one({256}, 16), Code::unsupported), "tensor 't' has type iq2_xxs, which is not supported");
    EXPECT_EQ(refusal(one({32}, 999)), "tensor 't' has type number 999, which is not a known GGUF type");
    EXPECT_EQ(refusal(one({33}, 8)), "tensor 't' has rows of 33 values: type q8_0 expects a multiple of 32");
    EXPECT_EQ(refusal(one({128, 2}, 12)), "tensor 't' has rows of 128 values: type q4_k expects a multiple of 256");
    EXPECT_EQ(refusal(one({4}, 0, 4)), "tensor 't' begins at offset 4: expected a multiple of 32");
    EXPECT_EQ(refusal(one({17}, 0)), "tensor 't' needs 68 bytes at offset 0: the file has 64 bytes of tensor data (truncated?)");
    EXPECT_EQ(refusal(one({1}, 0, 96)), "tensor 't' needs 4 bytes at offset 96: the file has 64 bytes of tensor data (truncated?)");
    EXPECT_EQ(refusal(one({1}, 0, ~uint64_t{31})), "tensor 't' needs 4 bytes at offset 18446744073709551584: the file has 64 bytes of tensor data (truncated?)");
    EXPECT_EQ(refusal(one({16}, 0)), "(accepted)");

    GgufBuilder twice;
    twice.tensor("t", {1}, 0, "abcd").tensor("t", {1}, 0, "abcd");
    EXPECT_EQ(refusal(twice.build()), "tensor 't' appears twice");
    GgufBuilder shared;
    shared.tensor("a", {9}, 0, std::string(36, 'x')).tensor_at("b", {1}, 0, 32);
    EXPECT_EQ(refusal(shared.build()), "tensors 'a' and 'b' share bytes of the file: expected each to have its own");
    GgufBuilder many;
    many.tensor("t", {1}, 0, "abcd").n_tensors = 1ull << 62;
    EXPECT_EQ(refusal(many.build()).substr(0, 43), "4611686018427387904 tensors are announced: ");
    many.n_tensors = 2;
    EXPECT_EQ(refusal(many.build()).substr(0, 43), "2 tensors are announced: the file has only ");
}

}  // namespace
}  // namespace gemma3n::test
