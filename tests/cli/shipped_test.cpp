// nano by name: the command and the model in a tree of their own, as they are installed.
#include "cli/command.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>

namespace gemma3n::test {
namespace {

namespace fs = std::filesystem;

class Nano : public testing::Test {
protected:
    // The command is copied: a link to it would lead back to where it was built. The tiny model stands for nano.
    static void SetUpTestSuite() {
        tree_ = new CheckpointDir;
        fs::create_directories(tree_->path() + "/bin");
        fs::copy_file(G3N_COMMAND, tree_->path() + "/bin/gemma3n");
        const std::string folder = home();
        fs::create_directories(folder + "/suite");
        fs::copy_file(tiny(), folder + "/nano-Q8_0.gguf");
        std::ofstream(folder + "/suite/suite.jsonl") << R"({"task": "its own", "type": "choice", "prompt": "a b", "choices": [" c", " the boat"], "answer": 0})" << "\n";
        setenv("HF_HUB_CACHE", (tree_->path() + "/cache").c_str(), 1);
    }
    static void TearDownTestSuite() {
        unsetenv("HF_HUB_CACHE");
        delete tree_;
    }
    static std::string home() { return tree_->path() + "/share/gemma3n/nano"; }
    static Ran installed(const Args& args) { return command(args, {.executable = tree_->path() + "/bin/gemma3n"}); }
    static inline CheckpointDir* tree_ = nullptr;
};

TEST_F(Nano, AnswersByItsName) {
    const Args rest = {"--raw", "--temp", "0", "-n", "6", "-t", "1", "--", "the cat"};
    const auto answer = [&](const std::string& model) {
        Args a{"run", model};
        a.insert(a.end(), rest.begin(), rest.end());
        return installed(a);
    };
    const Ran by_name = answer("nano"), by_path = answer(tiny());
    EXPECT_EQ(by_name.code, 0) << by_name.err;
    EXPECT_FALSE(by_path.out.empty());
    EXPECT_EQ(by_name.out, by_path.out);
    EXPECT_EQ(installed({"show", "nano", "--json"}).code, 0);
    EXPECT_EQ(installed({"tokenize", "nano", "a b"}).out, command({"tokenize", tiny(), "a b"}).out);
    const Ran other = installed({"show", "nano:Q4_0"});
    EXPECT_EQ(other.code, 2);
    EXPECT_EQ(other.err.rfind("gemma3n: 'nano:Q4_0': nano comes with this program as one file", 0), 0u) << other.err;
}

TEST_F(Nano, APathOfThatNameComesFirst) {
    const fs::path before = fs::current_path();
    fs::current_path(tree_->path());
    fs::create_directory("nano");
    const Ran r = installed({"show", "nano"});
    fs::remove("nano");
    fs::current_path(before);
    EXPECT_EQ(r.code, 1);
    EXPECT_NE(r.err.find("config.json"), std::string::npos) << r.err << "an empty folder is no model";
}

TEST_F(Nano, IsListedAndNeitherFetchedNorRemoved) {
    const uint64_t bytes = fs::file_size(home() + "/nano-Q8_0.gguf") + fs::file_size(home() + "/suite/suite.jsonl");
    simdjson::dom::parser parser;
    const Ran list = installed({"list", "--json"});
    const simdjson::dom::element all = parser.parse(list.out);
    ASSERT_EQ(simdjson::dom::array(all).size(), 1u) << list.out;
    EXPECT_EQ(std::string_view(all.at(0)["name"]), "nano");
    EXPECT_EQ(std::string_view(all.at(0)["path"]), home());
    EXPECT_EQ(uint64_t(all.at(0)["bytes"]), bytes);
    EXPECT_NE(installed({"list"}).out.find("nano  "), std::string::npos);
    const Ran pull = installed({"pull", "nano"});
    EXPECT_EQ(pull.code, 0);
    EXPECT_EQ(pull.out, home() + "/nano-Q8_0.gguf\n");
    EXPECT_EQ(pull.err, "gemma3n: nano comes with this program: there is nothing to fetch\n");
    const Ran rm = installed({"rm", "-y", "nano"});
    EXPECT_EQ(rm.code, 2);
    EXPECT_EQ(rm.err, "gemma3n: 'nano' comes with this program and lies in " + home() + ": rm removes what is in the cache\n");
    EXPECT_TRUE(fs::exists(home() + "/nano-Q8_0.gguf"));
}

TEST_F(Nano, IsEvaluatedWithItsOwnQuestions) {
    const Ran r = installed({"eval", "nano", "-t", "1"});
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.out.rfind("model                     nano\n", 0), 0u) << r.out;
    EXPECT_NE(r.out.find("its own, choice per byte  "), std::string::npos) << r.out;
    const Ran two = installed({"eval", "nano", tiny(), "-t", "1", "--json"});
    simdjson::dom::parser parser;
    const simdjson::dom::element j = parser.parse(two.out);
    EXPECT_EQ(std::string_view(j["suite"]), home() + "/suite/suite.jsonl") << two.err;
    EXPECT_EQ(simdjson::dom::array(j["models"]).size(), 2u);
}

TEST_F(Nano, WhereItIsNotThePlacesAreNamed) {
    const std::string away = tree_->path() + "/away";
    fs::create_directories(away + "/bin");
    fs::copy_file(G3N_COMMAND, away + "/bin/gemma3n");
    for (const Args& args : {Args{"run", "nano", "hello"}, Args{"eval", "nano"}, Args{"pull", "nano"}, Args{"rm", "nano"}}) {
        const Ran r = command(args, {.executable = away + "/bin/gemma3n"});
        EXPECT_EQ(r.code, 1) << args[0];
        EXPECT_EQ(r.out, "");
        EXPECT_EQ(r.err, "gemma3n: nano: the model that comes with this program is not here: looked for nano-Q8_0.gguf in " + away + "/share/gemma3n/nano, and in models/nano of " + away +
                             "/bin and of every folder above it\n");
    }
    EXPECT_EQ(command({"list", "--json"}, {.executable = away + "/bin/gemma3n"}).out, "[]\n");
}

}  // namespace
}  // namespace gemma3n::test
