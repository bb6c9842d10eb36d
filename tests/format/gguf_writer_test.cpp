#include "format/gguf_writer.h"

#include "format/checkpoint.h"
#include "model/checkpoint_dir.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace gemma3n::format {
namespace {

class GgufWriterTest : public testing::Test {
protected:
    std::string path() const { return dir_.path() + "/model.gguf"; }
    std::shared_ptr<Checkpoint> reread() const {
        auto c = Checkpoint::open(path());
        EXPECT_TRUE(c) << c.error().message;
        return c ? *c : nullptr;
    }
    test::CheckpointDir dir_;
};

template <class T>
T value(const Checkpoint& c, const char* key) {
    const auto it = c.metadata().find(key);
    EXPECT_TRUE(it != c.metadata().end()) << key;
    const T* v = it == c.metadata().end() ? nullptr : std::get_if<T>(&it->second);
    EXPECT_TRUE(v) << key << " has another type";
    return v ? *v : T{};
}

TEST_F(GgufWriterTest, MetadataOfEveryTypeComesBack) {
    GgufWriter w;
    w.set("u8", uint8_t{255});
    w.set("i8", int8_t{-128});
    w.set("u16", uint16_t{65535});
    w.set("i16", int16_t{-32768});
    w.set("u32", std::numeric_limits<uint32_t>::max());
    w.set("i32", std::numeric_limits<int32_t>::min());
    w.set("u64", uint64_t{1} << 62);
    w.set("i64", std::numeric_limits<int64_t>::min());
    w.set("f32", 1.5f);
    w.set("f64", -INFINITY);
    w.set("yes", true);
    w.set("no", false);
    w.set("text", std::string("gr\xC3\xBC\xC3\x9F\0nul", 10));
    w.set("literal", "abc");
    w.set("empty text", std::string());
    w.set("u8s", std::vector<uint8_t>{0, 200});
    w.set("i16s", std::vector<int16_t>{-1, 2});
    w.set("i32s", std::vector<int32_t>{-7, 0, 7});
    w.set("u64s", std::vector<uint64_t>{1, 1ull << 40});
    w.set("f32s", std::vector<float>{0.25f, -INFINITY});
    w.set("f64s", std::vector<double>{1e300});
    w.set("bools", std::vector<bool>{true, false, true});
    w.set("texts", std::vector<std::string>{"a", "", "\xE2\x96\x81z"});
    w.set("nothing", std::vector<int32_t>{});
    ASSERT_TRUE(w.open(path()));
    ASSERT_TRUE(w.close());
    const auto c = reread();
    ASSERT_TRUE(c);
    EXPECT_EQ(c->metadata().size(), 24u);
    EXPECT_EQ(value<int64_t>(*c, "u8"), 255);
    EXPECT_EQ(value<int64_t>(*c, "i8"), -128);
    EXPECT_EQ(value<int64_t>(*c, "u16"), 65535);
    EXPECT_EQ(value<int64_t>(*c, "i16"), -32768);
    EXPECT_EQ(value<int64_t>(*c, "u32"), 4294967295);
    EXPECT_EQ(value<int64_t>(*c, "i32"), std::numeric_limits<int32_t>::min());
    EXPECT_EQ(value<int64_t>(*c, "u64"), int64_t{1} << 62);
    EXPECT_EQ(value<int64_t>(*c, "i64"), std::numeric_limits<int64_t>::min());
    EXPECT_EQ(value<double>(*c, "f32"), 1.5);
    EXPECT_EQ(value<double>(*c, "f64"), -INFINITY);
    EXPECT_EQ(value<bool>(*c, "yes"), true);
    EXPECT_EQ(value<bool>(*c, "no"), false);
    EXPECT_EQ(value<std::string>(*c, "text"), std::string("gr\xC3\xBC\xC3\x9F\0nul", 10));
    EXPECT_EQ(value<std::string>(*c, "literal"), "abc");
    EXPECT_EQ(value<std::string>(*c, "empty text"), "");
    EXPECT_EQ(value<std::vector<int64_t>>(*c, "u8s"), (std::vector<int64_t>{0, 200}));
    EXPECT_EQ(value<std::vector<int64_t>>(*c, "i16s"), (std::vector<int64_t>{-1, 2}));
    EXPECT_EQ(value<std::vector<int64_t>>(*c, "i32s"), (std::vector<int64_t>{-7, 0, 7}));
    EXPECT_EQ(value<std::vector<int64_t>>(*c, "u64s"), (std::vector<int64_t>{1, 1ll << 40}));
    EXPECT_EQ(value<std::vector<double>>(*c, "f32s"), (std::vector<double>{0.25, -INFINITY}));
    EXPECT_EQ(value<std::vector<double>>(*c, "f64s"), (std::vector<double>{1e300}));
    EXPECT_EQ(value<std::vector<int64_t>>(*c, "bools"), (std::vector<int64_t>{1, 0, 1}));
    EXPECT_EQ(value<std::vector<std::string_view>>(*c, "texts"), (std::vector<std::string_view>{"a", "", "\xE2\x96\x81z"}));
    EXPECT_TRUE(value<std::vector<int64_t>>(*c, "nothing").empty());
}

TEST_F(GgufWriterTest, TensorsOfEveryTypeComeBackWhereverTheyWereWrittenFrom) {
    GgufWriter w;
    w.set("general.architecture", "gemma3n");
    std::vector<std::vector<uint8_t>> data;
    for (int t = 0; t < n_dtypes; t++) {
        const DType type = static_cast<DType>(t);
        const int64_t cols = info(type).block * (1 + t % 3);
        const std::vector<int64_t> shape = t % 2 ? std::vector<int64_t>{3, cols} : std::vector<int64_t>{cols};
        ASSERT_EQ(w.declare("tensor" + std::to_string(t), type, shape), static_cast<size_t>(t));
        data.emplace_back(w.bytes(static_cast<size_t>(t)));
        for (size_t i = 0; i < data.back().size(); i++) data.back()[i] = static_cast<uint8_t>(i * 31 + static_cast<size_t>(t));
    }
    ASSERT_TRUE(w.open(path()));
    for (size_t t = data.size(); t-- > 0;) ASSERT_TRUE(w.file().write_at(w.offset(t), data[t].data(), data[t].size()));
    ASSERT_TRUE(w.close());
    const auto c = reread();
    ASSERT_TRUE(c);
    ASSERT_EQ(c->tensors().size(), data.size());
    for (size_t i = 0; i < data.size(); i++) {
        const TensorInfo& t = c->tensors()[i];
        EXPECT_EQ(t.type, static_cast<DType>(i));
        EXPECT_EQ(t.offset % GgufWriter::alignment, 0u);
        EXPECT_EQ(t.shape.size(), i % 2 ? 2u : 1u);
        EXPECT_EQ(t.rows, i % 2 ? 3 : 1);
        ASSERT_EQ(t.bytes, data[i].size());
        EXPECT_EQ(memcmp(c->view(t).raw(), data[i].data(), data[i].size()), 0) << t.name;
    }
}

TEST_F(GgufWriterTest, AStackIsReadAsItsMembers) {
    GgufWriter w;
    w.declare("altup_proj.weight", DType::f32, {3, 2, 4});
    ASSERT_TRUE(w.open(path()));
    float values[24];
    for (int i = 0; i < 24; i++) values[i] = static_cast<float>(i);
    ASSERT_TRUE(w.file().write_at(w.offset(0), values, sizeof values));
    ASSERT_TRUE(w.close());
    const auto c = reread();
    ASSERT_TRUE(c);
    const TensorInfo* last = c->find("altup_projections.2.weight");
    ASSERT_TRUE(last);
    EXPECT_EQ(last->shape, (std::vector<int64_t>{2, 4}));
    EXPECT_EQ(c->view(*last).f32()[0], 16.0f);
}

TEST_F(GgufWriterTest, WhatNoReaderWouldTakeIsRefused) {
    const auto message = [&](auto prepare) {
        GgufWriter w;
        prepare(w);
        const Status s = w.open(path());
        EXPECT_FALSE(s);
        EXPECT_FALSE(std::filesystem::exists(path()));
        return s ? std::string() : s.error().message.substr(path().size());
    };
    EXPECT_EQ(message([](GgufWriter& w) { w.declare("a", DType::q4_k, {2, 128}); }), ": tensor 'a' has rows of 128 values: type q4_k expects a multiple of 256");
    EXPECT_EQ(message([](GgufWriter& w) { w.declare("a", DType::f32, {1}), w.declare("a", DType::f32, {1}); }), ": tensor 'a' is given twice");
    EXPECT_EQ(message([](GgufWriter& w) { w.declare("a", DType::f32, {1, 1, 1, 1, 1}); }), ": tensor 'a' has 5 dimensions: expected 1 to 4");
    EXPECT_EQ(message([](GgufWriter& w) { w.set("k", 1), w.set("k", 2); }), ": metadata key 'k' is given twice");
}

}  // namespace
}  // namespace gemma3n::format
