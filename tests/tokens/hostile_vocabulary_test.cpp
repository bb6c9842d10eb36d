// Vocabularies that are meant to hurt: what the fuzz targets found, and what their findings' kin would be.
#include "tokens/tokenizer.h"

#include "base/limited_memory.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

std::string refusal(const std::string& json) {
    const auto t = tokens::Tokenizer::from_json(json, "tokenizer.json");
    return t ? "(accepted)" : t.error().message;
}

TEST(HostileVocabulary, SentencesAboutPiecesAreOnePrintableLine) {
    EXPECT_EQ(refusal(R"({"model":{"vocab":{"a\n\u001b[31m":-1},"merges":[]}})").substr(0, 38), "tokenizer.json: piece 'a??[31m' has id");
    EXPECT_EQ(refusal(R"({"model":{"vocab":{"a":0},"merges":["a\nb"]}})"), "tokenizer.json: merge 0 is 'a?b': expected two pieces");
    EXPECT_EQ(refusal(R"({"model":{"type":"W\n","vocab":{},"merges":[]}})"), "tokenizer.json: model type 'W?': expected BPE");
}

TEST(HostileVocabulary, OneLargeIdDoesNotTakeAGigabyte) {
    EXPECT_TRUE(ends_within(128, [] {
        if (refusal(R"({"model":{"vocab":{"a":16777215},"merges":[]}})").find("has id 16777215: expected 0 to ") == std::string::npos) _exit(1);
    }));
    EXPECT_EQ(refusal(R"({"model":{"vocab":{"a":30},"merges":[]}})"), "(accepted)") << "gaps are not forbidden";
}

}  // namespace
}  // namespace gemma3n::test
