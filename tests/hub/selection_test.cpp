// Which file a quantisation means, on the lists of files that published repositories have.
#include "hub/selection.h"

#include <gtest/gtest.h>

using namespace gemma3n;
using namespace gemma3n::hub;

namespace {

// names as Unsloth, ggml-org and bartowski give them to Gemma 3n
const std::vector<std::string> many = {".gitattributes", "README.md", "config.json", "gemma-3n-E2B-it-F16.gguf", "gemma-3n-E2B-it-IQ4_NL.gguf", "gemma-3n-E2B-it-IQ4_XS.gguf",
                                       "gemma-3n-E2B-it-Q2_K.gguf", "gemma-3n-E2B-it-Q2_K_L.gguf", "gemma-3n-E2B-it-Q4_0.gguf", "gemma-3n-E2B-it-Q4_1.gguf", "gemma-3n-E2B-it-Q4_K_M.gguf",
                                       "gemma-3n-E2B-it-Q4_K_S.gguf", "gemma-3n-E2B-it-Q8_0.gguf", "gemma-3n-E2B-it-UD-Q2_K_XL.gguf", "gemma-3n-E2B-it-UD-Q4_K_XL.gguf",
                                       "mmproj-F16.gguf", "mmproj-F32.gguf", "mmproj-BF16.gguf"};

std::string one(const std::vector<std::string>& names, const char* selector) {
    const auto s = select_files(names, {"a/b", selector}, false);
    return s ? (s->files.size() == 1 && !s->directory ? s->files[0] : "not one file") : "error: " + s.error().message;
}

}  // namespace

TEST(Selection, AQuantisationIsAWholeWordOfTheName) {
    EXPECT_EQ(one(many, "Q4_K_M"), "gemma-3n-E2B-it-Q4_K_M.gguf");
    EXPECT_EQ(one(many, "q4_k_m"), "gemma-3n-E2B-it-Q4_K_M.gguf");
    EXPECT_EQ(one(many, "Q2_K"), "gemma-3n-E2B-it-Q2_K.gguf");
    EXPECT_EQ(one(many, "F16"), "gemma-3n-E2B-it-F16.gguf");
    EXPECT_EQ(one(many, "IQ4_NL"), "gemma-3n-E2B-it-IQ4_NL.gguf");
    EXPECT_EQ(one(many, "UD-Q4_K_XL"), "gemma-3n-E2B-it-UD-Q4_K_XL.gguf");
    EXPECT_EQ(one(many, "Q4_K_XL"), "gemma-3n-E2B-it-UD-Q4_K_XL.gguf");
    EXPECT_EQ(one({"x.Q4_K_M.gguf", "x.Q8_0.gguf"}, "Q8_0"), "x.Q8_0.gguf");
    EXPECT_EQ(one({"x-Q4_K_M.gguf", "x-UD-Q4_K_M.gguf"}, "Q4_K_M"), "x-Q4_K_M.gguf");
    EXPECT_EQ(one({"Q4_0/x.gguf", "Q8_0/x.gguf"}, "Q4_0"), "Q4_0/x.gguf");
    EXPECT_EQ(one({"x_q4_0.GGUF", "y-Q8_0.gguf"}, "q4_0"), "x_q4_0.GGUF");
    EXPECT_TRUE(one(many, "Q4_K").starts_with("error"));
    EXPECT_TRUE(one(many, "Q3_K").starts_with("error"));
}

TEST(Selection, WithoutOneThePreferredOrTheOnlyFile) {
    EXPECT_EQ(one(many, ""), "gemma-3n-E2B-it-Q4_K_M.gguf");
    EXPECT_EQ(one({"m-Q8_0.gguf", "m-Q4_0.gguf"}, ""), "m-Q4_0.gguf");
    EXPECT_EQ(one({"gemma-3n-E2B-it-Q8_0.gguf", "gemma-3n-E2B-it-F16.gguf"}, ""), "gemma-3n-E2B-it-Q8_0.gguf");
    EXPECT_EQ(one({"only.gguf", "mmproj-x.gguf"}, ""), "only.gguf");
    EXPECT_TRUE(one({"x-00001-of-00002.gguf", "x-00002-of-00002.gguf"}, "").starts_with("error"));
}

TEST(Selection, ErrorsListTheChoicesAndTellNoneFromSeveral) {
    const auto none = select_files(many, {"a/b", "Q5_K_M"}, false), several = select_files({"a-Q4_0.gguf", "b-Q4_0.gguf"}, {"a/b", "Q4_0"}, false);
    ASSERT_FALSE(none);
    ASSERT_FALSE(several);
    EXPECT_EQ(none.error().code, Code::not_found);
    EXPECT_NE(none.error().message.find("gemma-3n-E2B-it-IQ4_XS.gguf"), std::string::npos);
    EXPECT_EQ(none.error().message.find("mmproj"), std::string::npos);
    EXPECT_EQ(several.error().code, Code::bad_argument);
    EXPECT_NE(several.error().message.find("a-Q4_0.gguf, b-Q4_0.gguf"), std::string::npos);
}

TEST(Selection, TheProjectorBesideTheModel) {
    const auto s = select_files(many, {"a/b", "Q8_0"}, true);
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_EQ(s->files, (std::vector<std::string>{"gemma-3n-E2B-it-Q8_0.gguf", "mmproj-F16.gguf"}));
    EXPECT_FALSE(select_files({"x.gguf"}, {"a/b", ""}, true));
}

TEST(Selection, ADirectoryNeedsConfigAndWeights) {
    const auto s = select_files({"README.md", "config.json", "model.safetensors", "sub/config.json", "tokenizer.json", "tokenizer.model"}, {"a/b", ""}, false);
    ASSERT_TRUE(s);
    EXPECT_TRUE(s->directory);
    EXPECT_EQ(s->files, (std::vector<std::string>{"config.json", "model.safetensors", "tokenizer.json"}));
    EXPECT_FALSE(select_files({"config.json"}, {"a/b", ""}, false));
    EXPECT_FALSE(select_files({"model.safetensors"}, {"a/b", ""}, false));
    EXPECT_FALSE(select_files({"config.json", "model.safetensors"}, {"a/b", "Q4_0"}, false));
}
