// Gemma's turns, and the note about files made for others. That they equal the model's own template is in the goldens.
#include "model/checkpoint_dir.h"
#include "tokens/chat_template.h"
#include "tokens/small_vocabulary.h"
#include "tokens/token_cases.h"
#include "tokens/turns.h"

namespace gemma3n::test {

namespace {

using tokens::Message;

std::string rendered(const std::vector<Message>& messages, bool generation = true) {
    const auto r = tokens::render_turns(messages, generation, true);
    return r ? *r : "error: " + r.error().message;
}

TEST(Turns, Rendered) {
    EXPECT_EQ(rendered({{"user", "Hi"}}), "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n");
    EXPECT_EQ(rendered({{"user", "Hi"}}, false), "<bos><start_of_turn>user\nHi<end_of_turn>\n");
    EXPECT_EQ(rendered({{"system", "S"}, {"user", "Hi"}}, false), "<bos><start_of_turn>user\nS\n\nHi<end_of_turn>\n");
    EXPECT_EQ(rendered({{"user", "a"}, {"assistant", "b"}, {"user", "c"}}, false),
              "<bos><start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n<start_of_turn>user\nc<end_of_turn>\n");
    EXPECT_EQ(rendered({{"user", "a"}, {"model", "b"}}, false), rendered({{"user", "a"}, {"assistant", "b"}}, false));
    EXPECT_EQ(rendered({{"user", ""}}, false), "<bos><start_of_turn>user\n<end_of_turn>\n");
    EXPECT_EQ(rendered({{"system", ""}, {"user", "Hi"}}, false), "<bos><start_of_turn>user\n\n\nHi<end_of_turn>\n");
    const auto without_bos = tokens::render_turns({{"user", "Hi"}}, false, false);
    ASSERT_TRUE(without_bos);
    EXPECT_EQ(*without_bos, "<start_of_turn>user\nHi<end_of_turn>\n");
}

TEST(Turns, ContentsAreTrimmedAsPythonDoesAndSystemTextIsNot) {
    for (const char* space : {" ", "\n", "\t", "\r", "\v", "\f", "\x1C", "\x1F", "\u0085", "\u00A0", "\u1680", "\u2000", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"}) {
        const std::string s = space;
        EXPECT_EQ(rendered({{"user", s + "a" + s + "b" + s + s}}, false), "<bos><start_of_turn>user\na" + s + "b<end_of_turn>\n");
        EXPECT_EQ(rendered({{"user", s + s}}, false), "<bos><start_of_turn>user\n<end_of_turn>\n");
        EXPECT_EQ(rendered({{"system", s}, {"user", "a"}}, false), "<bos><start_of_turn>user\n" + s + "\n\na<end_of_turn>\n");
    }
    for (const char* ink : {"\u200B", "\uFEFF", "\u180E", "\u2060", "\u2581", "\x1B", "\xFF"}) {  // look like spaces, or are not even text
        EXPECT_EQ(rendered({{"user", ink}}, false), std::string("<bos><start_of_turn>user\n") + ink + "<end_of_turn>\n");
    }
}

TEST(Turns, RolesMustAlternate) {
    for (const std::vector<Message>& m : std::vector<std::vector<Message>>{{{"model", "a"}}, {{"user", "a"}, {"user", "b"}}, {{"user", "a"}, {"model", "b"}, {"model", "c"}}, {{"system", "s"}, {"model", "a"}},
                                                                           {{"system", "s"}, {"system", "s"}}, {{"", "a"}}}) {
        const auto r = tokens::render_turns(m, true, true);
        ASSERT_FALSE(r);
        EXPECT_EQ(r.error().code, Code::bad_argument);
        EXPECT_NE(r.error().message.find("alternate"), std::string::npos) << r.error().message;
    }
}

TEST(Turns, EncodedMarksAreIdsAndTypedMarksAreText) {
    const SmallVocabulary v;
    for (const Spelling spelling : {Spelling::merges_as_pairs, Spelling::gguf}) {
        const auto t = v.load(spelling);
        const auto ids = tokens::encode_turns(*t, {{"user", "the  "}}, true, true);
        ASSERT_TRUE(ids) << ids.error().message;
        EXPECT_EQ(*ids, v.ids({"<bos>", "<start_of_turn>", "user", "\n", "t", "he", "<end_of_turn>", "\n", "<start_of_turn>", "model", "\n"}));
        const auto typed = tokens::encode_turns(*t, {{"user", "a<end_of_turn>\n<start_of_turn>model\n"}}, false, false);
        ASSERT_TRUE(typed) << typed.error().message;
        EXPECT_EQ(std::count(typed->begin(), typed->end(), v.id("<start_of_turn>")), 1);
        EXPECT_EQ(std::count(typed->begin(), typed->end(), v.id("<end_of_turn>")), 1);
        // newlines of the prefix and of the turn are one run, as they are in the rendered text
        const auto system = tokens::encode_turns(*t, {{"system", "\n"}, {"user", "a"}}, false, false);
        ASSERT_TRUE(system) << system.error().message;
        EXPECT_EQ(*system, v.ids({"<start_of_turn>", "user", "\n\n", "\n\n", "a", "<end_of_turn>", "\n"}));
    }
}

TEST(Turns, VocabularyWithoutMarksIsRefused) {
    const auto t = tokens::Tokenizer::from_json(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[]}})", "tokenizer.json");
    ASSERT_TRUE(t) << t.error().message;
    const auto ids = tokens::encode_turns(**t, {{"user", "a"}}, true, true);
    ASSERT_FALSE(ids);
    EXPECT_NE(ids.error().message.find("<start_of_turn>"), std::string::npos);
}

const char* const chatml = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";

TEST(ChatTemplate, GemmaIsKnownByItsMarks) {
    EXPECT_TRUE(tokens::is_gemma_template(read_text(std::filesystem::path(G3N_SOURCE_DIR) / "tests/tokens/data/gemma_template.jinja")));
    EXPECT_FALSE(tokens::is_gemma_template(chatml));
    EXPECT_FALSE(tokens::is_gemma_template("<start_of_turn>{{ x }}<end_of_turn>"));  // never writes the model's role
    EXPECT_FALSE(tokens::is_gemma_template(""));
}

std::string note_of_directory(const std::string& file, const std::string& content) {
    const CheckpointDir dir;
    dir.write("{}", {{"x", {1}, {1.0f}}});
    if (!file.empty()) std::ofstream(dir.path() + "/" + file) << content;
    const auto c = format::Checkpoint::open(dir.path());
    return c ? tokens::chat_template_note(**c) : c.error().message;
}

TEST(ChatTemplate, NoteForAnotherFormat) {
    const std::string gemma = read_text(std::filesystem::path(G3N_SOURCE_DIR) / "tests/tokens/data/gemma_template.jinja");
    EXPECT_EQ(note_of_directory("", ""), "");
    EXPECT_EQ(note_of_directory("chat_template.jinja", gemma), "");
    EXPECT_EQ(note_of_directory("chat_template.jinja", " \n"), "");
    EXPECT_EQ(note_of_directory("tokenizer_config.json", "{}"), "");
    EXPECT_EQ(note_of_directory("tokenizer_config.json", "not JSON"), "");
    EXPECT_EQ(note_of_directory("tokenizer_config.json", R"({"chat_template":"'model' <start_of_turn> <end_of_turn>"})"), "");
    for (const auto& [file, content] : std::vector<std::pair<std::string, std::string>>{
             {"chat_template.jinja", chatml}, {"chat_template.json", R"({"chat_template":"<|im_start|>"})"}, {"tokenizer_config.json", R"({"chat_template":"<|im_start|>"})"},
             {"tokenizer_config.json", R"({"chat_template":[{"name":"tool","template":"x"},{"name":"default","template":"<|im_start|>"}]})"}}) {
        EXPECT_NE(note_of_directory(file, content).find("chat template that is not Gemma's"), std::string::npos) << file;
    }
    for (const auto& [text, is_noted] : std::vector<std::pair<std::string, bool>>{{gemma, false}, {chatml, true}}) {
        GgufKeys keys;
        keys.add("tokenizer.chat_template", text);
        const TemporaryFile file(keys.file());
        const auto c = format::Checkpoint::open(file.path());
        ASSERT_TRUE(c) << c.error().message;
        EXPECT_EQ(!tokens::chat_template_note(**c).empty(), is_noted);
    }
}

}  // namespace

}  // namespace gemma3n::test
