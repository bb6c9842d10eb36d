// transcribe: formats, several files, what goes wrong, and sound that is still arriving.
#include "cli/media_files.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <sys/stat.h>

#include <regex>
#include <thread>

namespace gemma3n::test {
namespace {

Ran transcribe(Args more, const Spawn& how = {}) {
    Args a{"transcribe", towered(), "-t", "1", "-n", "6"};
    a.insert(a.end(), more.begin(), more.end());
    return command(a, how);
}

const std::string& talk() {
    static const std::string path = wav("talk.wav", 65);
    return path;
}

size_t count(const std::string& s, const std::string& what) {
    size_t n = 0;
    for (size_t at = s.find(what); at != std::string::npos; at = s.find(what, at + 1)) n++;
    return n;
}

TEST(Transcribe, TextIsALineForEachClipAndTheSpeedIsSaid) {
    const Ran r = transcribe({talk()});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_TRUE(std::regex_search(r.err, std::regex("talk\\.wav: 65\\.0 s of sound in [0-9.]+ s: [0-9.]+ of real time\n$"))) << r.err;
    EXPECT_EQ(count(r.err, "is cut after 6 tokens (-n gives more)"), 3u) << r.err;
    EXPECT_TRUE(r.out.ends_with("\n"));
    EXPECT_TRUE(simdjson::validate_utf8(r.out));
    EXPECT_EQ(r.out, transcribe({"-"}, {.input = read_file(talk())}).out);
}

TEST(Transcribe, JsonHasEveryClipWithItsTimes) {
    const Ran r = transcribe({talk(), "--format", "json", "--translate-to", "German", "--language", "English"});
    ASSERT_EQ(r.code, 0) << r.err;
    simdjson::dom::parser parser;
    const simdjson::dom::element file = parser.parse(r.out).at(0);
    EXPECT_EQ(std::string_view(file["file"]), talk());
    EXPECT_EQ(double(file["seconds"]), 65);
    EXPECT_TRUE(bool(file["complete"]));
    EXPECT_TRUE(file["error"].is_null());
    double end = 0;
    for (const auto s : simdjson::dom::array(file["segments"])) {
        EXPECT_EQ(double(s["begin"]), end) << "nothing is left out";
        end = s["end"];
        EXPECT_LE(end - double(s["begin"]), 30);
        // a second of tone, a fifth of silence: cuts lie in silence
        if (end < 65) { EXPECT_GT(std::fmod(end, 1.2), 1) << end; }
        EXPECT_EQ(s["translation"].error(), simdjson::SUCCESS);
    }
    EXPECT_EQ(end, 65);
    EXPECT_EQ(simdjson::dom::array(file["segments"]).size(), 3u);
}

TEST(Transcribe, InstructionsReachTheModel) {
    const std::string plain = transcribe({wav("clip.wav", 2)}).out;
    EXPECT_EQ(plain, transcribe({wav("clip.wav", 2), "--prompt", "Transcribe the following speech segment in its original language:"}).out);
    const Ran much = transcribe({wav("clip.wav", 2), "--prompt", std::string(5000, '%')});
    EXPECT_EQ(much.code, 1);
    EXPECT_NE(much.err.find("a clip and what is asked of it take at least 5"), std::string::npos) << much.err;
    EXPECT_EQ(transcribe({wav("clip.wav", 2), "--language", "French"}).out, transcribe({wav("clip.wav", 2), "--prompt", "Transcribe the following speech segment in French:"}).out);
}

TEST(Transcribe, Subtitles) {
    const Ran srt = transcribe({talk(), "--format", "srt"}), vtt = transcribe({talk(), "--format", "vtt"});
    EXPECT_TRUE(std::regex_search(srt.out, std::regex("^1\n00:00:00,000 --> 00:00:2[0-9],[0-9]{3}\n.+\n\n2\n00:00:2"))) << srt.out;
    EXPECT_EQ(count(srt.out, " --> 00:01:05,000\n"), 1u);
    EXPECT_TRUE(vtt.out.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:2")) << vtt.out;
    EXPECT_EQ(count(vtt.out, " --> "), 3u);
}

TEST(Transcribe, OneBadFileDoesNotLoseTheOthers) {
    const std::string good = wav("clip.wav", 1), bad = write_file("bad.wav", "RIFF....WAVEnothing");
    const Ran text = transcribe({good, bad, good});
    EXPECT_EQ(text.code, 1);
    EXPECT_EQ(count(text.out, good + ":\n"), 2u);
    EXPECT_NE(text.err.find("gemma3n: " + bad + ": "), std::string::npos) << text.err;
    EXPECT_TRUE(text.err.ends_with("gemma3n: 1 of 3 files could not be transcribed\n")) << text.err;
    const Ran json = transcribe({bad, good, "--format", "json"});
    EXPECT_EQ(json.code, 1);
    simdjson::dom::parser parser;
    simdjson::dom::element list;
    ASSERT_EQ(parser.parse(json.out).get(list), simdjson::SUCCESS) << json.out;
    EXPECT_TRUE(std::string_view(list.at(0)["error"]).starts_with(bad));
    EXPECT_TRUE(list.at(1)["error"].is_null());
}

TEST(Transcribe, ARecordingWithoutASampleOrWithoutItsEndSaysSo) {
    const std::string silent = write_file("silent.wav", wav_bytes(0)), cut = write_file("cut.wav", wav_bytes(2).substr(0, 44 + 32000));
    const Ran none = transcribe({silent});
    EXPECT_EQ(none.code, 1);
    EXPECT_EQ(none.err, "gemma3n: " + silent + ": a recording without a single sample: expected sound\n");
    const Ran json = transcribe({silent, cut, "--format", "json"});
    EXPECT_EQ(json.code, 1);
    simdjson::dom::parser parser;
    simdjson::dom::element list;
    ASSERT_EQ(parser.parse(json.out).get(list), simdjson::SUCCESS) << json.out;
    EXPECT_FALSE(bool(list.at(0)["complete"]));
    EXPECT_EQ(std::string_view(list.at(0)["error"]), silent + ": a recording without a single sample: expected sound");
    EXPECT_FALSE(bool(list.at(1)["complete"]));
    EXPECT_TRUE(list.at(1)["error"].is_null());
    EXPECT_EQ(std::string_view(list.at(1)["note"]), cut + ": ends 32000 bytes before its header says");
}

TEST(Transcribe, InterruptedJsonIsWhole) {
    const Ran r = command({"transcribe", towered(), wav("minutes.wav", 600), talk(), "--format", "json", "-n", "60"}, {.interrupt_after_bytes = 300});
    EXPECT_EQ(r.code, 130);
    simdjson::dom::parser parser;
    simdjson::dom::element list;
    ASSERT_EQ(parser.parse(r.out).get(list), simdjson::SUCCESS) << r.out;
    EXPECT_EQ(simdjson::dom::array(list).size(), 1u);
    EXPECT_FALSE(bool(list.at(0)["complete"]));
    EXPECT_GE(simdjson::dom::array(list.at(0)["segments"]).size(), 1u);
}

TEST(Transcribe, WhatCannotBeMeantIsRefused) {
    const auto refused = [](Args a, int code, const std::string& sentence) {
        const Ran r = transcribe(a);
        EXPECT_EQ(r.code, code);
        EXPECT_NE(r.err.find(sentence), std::string::npos) << r.err;
        EXPECT_EQ(r.out, "");
    };
    refused({talk(), talk(), "--format", "srt"}, 2, "--format srt is of one FILE");
    refused({talk(), talk(), "--live"}, 2, "--live takes one FILE");
    refused({"-", "-"}, 2, "'-' is given more than once");
    refused({talk(), "--format", "doc"}, 2, "--format is 'doc': expected txt, json, srt or vtt");
    refused({talk(), "--every", "2"}, 2, "--every");
    refused({}, 2, "transcribe needs FILE");
    const Ran without = command({"transcribe", towerless(), talk()});
    EXPECT_EQ(without.code, 1);
    EXPECT_NE(without.err.find("has no audio tower"), std::string::npos) << without.err;
    EXPECT_EQ(transcribe({talk()}, {.output_to = "/dev/full"}).code, 1);
}

TEST(Transcribe, LiveSaysWhatItHearsAndEndsAsTheRecordingDoes) {
    const Ran live = transcribe({talk(), "--live", "--every", "10"}), whole = transcribe({talk()});
    EXPECT_EQ(live.code, 0) << live.err;
    EXPECT_EQ(live.out, whole.out) << "the same clips, the same tokens";
    for (const char* s : {"[10.0 s, ", "[20.0 s, ", "[60.0 s, "}) EXPECT_EQ(count(live.err, s), 1u) << live.err;
    EXPECT_NE(live.err.find(" of real time] "), std::string::npos);
}

TEST(Transcribe, LiveKeepsToALimit) {
    const Args live{wav("some.wav", 8), "--live", "--every", "3", "--kv", "q8"};
    const Ran free = transcribe(live);
    const auto within = [&](const std::string& limit) {
        Args limited = live;
        limited.insert(limited.end(), {"--memory", limit});
        return transcribe(limited);
    };
    const Ran refused = within("1M");
    const std::string least = "the least limit that works is ";
    const size_t at = refused.err.find(least);
    ASSERT_NE(at, std::string::npos) << refused.err;
    const Ran r = within(std::to_string(std::stoi(refused.err.substr(at + least.size())) + 4) + "M");  // it is of a shorter context
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.out, free.out);
    EXPECT_EQ(count(r.err, "[3.0 s, "), 1u) << r.err;
}

TEST(Transcribe, LiveFollowsAFifo) {
    const std::string fifo = folder().path() + "/microphone";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    const std::string bytes = wav_bytes(6);
    int out[2];
    ASSERT_EQ(pipe(out), 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(out[1], 2);
        close(out[0]);
        become_command({"transcribe", towered(), "-t", "1", "-n", "6", "--live", "--every", "1", fifo});
    }
    close(out[1]);
    const int in = open(fifo.c_str(), O_WRONLY);
    const size_t half = bytes.size() / 2;
    ASSERT_EQ(write(in, bytes.data(), half), static_cast<ssize_t>(half));
    std::string heard;
    const auto end = Clock::now() + std::chrono::seconds(15);
    pollfd p{out[0], POLLIN, 0};
    while (heard.find("] ") == std::string::npos && Clock::now() < end) {
        if (poll(&p, 1, 100) <= 0) continue;
        char b[4096];
        const ssize_t n = read(out[0], b, sizeof b);
        if (n <= 0) break;
        heard.append(b, static_cast<size_t>(n));
    }
    EXPECT_NE(heard.find(" of real time] "), std::string::npos) << "text while half of the sound is still to come\n" << heard;
    ASSERT_GT(write(in, bytes.data() + half, bytes.size() - half), 0);
    close(in);
    int status = 0;
    waitpid(child, &status, 0);
    close(out[0]);
    EXPECT_EQ(exit_code(status), 0);
}

}  // namespace
}  // namespace gemma3n::test
