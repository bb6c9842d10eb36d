// Sound in pieces: the same rows bit for bit, as early as they are certain, at the same price at any time.
#include "format/gguf_builder.h"
#include "format/tower_names.h"
#include "model/audio_case.h"
#include "model/audio/log_mel.h"

namespace gemma3n::model {

namespace {

const std::vector<std::vector<int64_t>> every_cut = {{1}, {160}, {7, 333, 1}, {512, 1}, {2560}, {16000}, {80000}, {100, 40000, 3}};

void expect_same_bits(const std::vector<float>& got, const std::vector<float>& expected, const std::string& what) {
    ASSERT_EQ(got.size(), expected.size()) << what;
    EXPECT_EQ(0, memcmp(got.data(), expected.data(), got.size() * sizeof(float))) << what;
}

std::vector<float> whole(test::AudioRun& run, const std::vector<float>& samples) {
    const std::vector<float> rows = run.rows(samples);
    EXPECT_EQ(static_cast<int64_t>(rows.size()), run.tower->n_rows(static_cast<int64_t>(samples.size())) * run.tower->width());
    return rows;
}

void expect_no_cut_shows(test::AudioRun& run, const std::vector<float>& samples) {
    const std::vector<float> expected = whole(run, samples);
    for (const auto& cut : every_cut) expect_same_bits(run.rows(samples, cut), expected, "pieces of " + std::to_string(cut[0]));
}

// A tower whose matrices are of 32-value blocks of 8 bit, in a projector file.
std::string q8_0(const std::vector<float>& v) {
    std::string out;
    for (size_t b = 0; b < v.size(); b += 32) {
        float largest = 0;
        for (size_t i = 0; i < 32; i++) largest = std::max(largest, std::fabs(v[b + i]));
        const uint16_t d = f32_to_f16(largest / 127);
        out += test::bytes_of(d);
        for (size_t i = 0; i < 32; i++) out += static_cast<char>(d ? std::nearbyint(v[b + i] / f16_to_f32(d)) : 0);
    }
    return out;
}
void write_q8(const std::string& path, const test::AudioSizes& sizes) {
    test::GgufBuilder b;
    b.string("general.architecture", "clip");
    for (const test::NamedShape& t : test::audio_tensors(sizes)) {
        std::vector<float> v(static_cast<size_t>(t.size()));
        test::tower_values(t.name, t.shape, 0, t.size(), v.data());
        const bool matrix = t.shape.size() == 2;
        b.tensor(*format::projector_from_canonical(t.name), {t.shape.rbegin(), t.shape.rend()}, matrix ? 8 : 0,
                 matrix ? q8_0(v) : std::string(reinterpret_cast<const char*>(v.data()), v.size() * sizeof(float)));
    }
    std::ofstream(path, std::ios::binary) << b.build();
}

class AudioStream : public test::OnEveryTable {};

}  // namespace

TEST_P(AudioStream, NoCutShows) {
    for (const std::string name : {"small", "odd"}) {
        const test::AudioCase golden(name);
        const test::CheckpointDir dir;
        golden.write(dir);
        test::AudioRun run(dir.path(), golden.config, *table);
        expect_no_cut_shows(run, test::audio_signal(23456));
    }
}

TEST_P(AudioStream, NoCutShowsInEightBit) {
    const test::CheckpointDir dir;
    const test::AudioSizes sizes{.width = 64, .n_layers = 2, .n_heads = 4, .inner = 256, .channels_0 = 16, .channels_1 = 8};
    AudioConfig config;
    config.n_heads = sizes.n_heads;
    write_q8(dir.path() + "/mmproj.gguf", sizes);
    test::AudioRun eight(dir.path() + "/mmproj.gguf", config, *table, 2, false), exact(dir.path() + "/mmproj.gguf", config, *table);
    const std::vector<float> samples = test::audio_signal(40000);
    expect_no_cut_shows(eight, samples);
    const double difference = test::relative_rms(whole(eight, samples), whole(exact, samples));
    EXPECT_GT(difference, 1e-4);  // it is another path
    EXPECT_LT(difference, 3e-2);
}

TEST_P(AudioStream, ThreadsDoNotShow) {
    const test::AudioCase golden("odd");
    const test::CheckpointDir dir;
    golden.write(dir);
    test::AudioRun one(dir.path(), golden.config, *table, 1), three(dir.path(), golden.config, *table, 3);
    const std::vector<float> samples = test::audio_signal(23456);
    expect_same_bits(three.rows(samples), one.rows(samples), "three threads");
}

INSTANTIATE_TEST_SUITE_P(, AudioStream, testing::ValuesIn(test::every_table()), test::table_name);

namespace {

class SmallStream : public testing::Test {
protected:
    test::AudioCase golden{"small"};
    test::CheckpointDir dir;
    std::unique_ptr<test::AudioRun> run;
    void SetUp() override {
        golden.write(dir);
        run = std::make_unique<test::AudioRun>(dir.path(), golden.config, *kernels::choose());
    }
};

}  // namespace

// Row k is sub-frame 4 k, which ends with mel frame 16 k + 6: no sample beyond that is waited for.
TEST_F(SmallStream, ARowComesWithItsLastSample) {
    const std::vector<float> samples = test::audio_signal(30000);
    auto stream = run->tower->stream();
    std::vector<float> rows;
    int64_t at = 0;
    for (int64_t k = 0; k < 10; k++) {
        const int64_t last = 160 * (16 * k + 6) + 513;
        ASSERT_TRUE(stream->push(run->c, std::span(samples).subspan(at, last - 1 - at), rows, nullptr));
        EXPECT_EQ(static_cast<int64_t>(rows.size()), k * golden.sizes.width) << "before sample " << last;
        ASSERT_TRUE(stream->push(run->c, std::span(samples).subspan(last - 1, 1), rows, nullptr));
        EXPECT_EQ(static_cast<int64_t>(rows.size()), (k + 1) * golden.sizes.width) << "with sample " << last;
        at = last;
    }
}

TEST_F(SmallStream, NoSoundGivesNoRows) {
    auto stream = run->tower->stream();
    std::vector<float> rows;
    EXPECT_TRUE(stream->push(run->c, {}, rows, nullptr));
    EXPECT_TRUE(stream->finish(run->c, rows, nullptr));
    EXPECT_TRUE(rows.empty());
}

TEST_F(SmallStream, AfterTheEndItBeginsAgain) {
    const std::vector<float> samples = test::audio_signal(10000);
    const std::vector<float> expected = run->rows(samples);
    auto stream = run->tower->stream();
    for (int i = 0; i < 2; i++) {
        std::vector<float> rows;
        ASSERT_TRUE(stream->push(run->c, samples, rows, nullptr));
        ASSERT_TRUE(stream->finish(run->c, rows, nullptr));
        expect_same_bits(rows, expected, "clip " + std::to_string(i));
    }
}

TEST_F(SmallStream, TwoStreamsOfATowerAreApart) {
    const std::vector<float> a = test::audio_signal(20000), b(a.begin() + 5000, a.end());
    const std::vector<float> expected_a = run->rows(a), expected_b = run->rows(b);
    auto first = run->tower->stream(), second = run->tower->stream();
    std::vector<float> rows_a, rows_b;
    for (size_t at = 0; at < a.size(); at += 1000) {
        ASSERT_TRUE(first->push(run->c, std::span(a).subspan(at, 1000), rows_a, nullptr));
        const size_t from = std::min(at, b.size());
        ASSERT_TRUE(second->push(run->c, std::span(b).subspan(from, std::min<size_t>(b.size() - from, 1000)), rows_b, nullptr));
    }
    ASSERT_TRUE(first->finish(run->c, rows_a, nullptr));
    ASSERT_TRUE(second->finish(run->c, rows_b, nullptr));
    expect_same_bits(rows_a, expected_a, "first");
    expect_same_bits(rows_b, expected_b, "second");
}

TEST_F(SmallStream, ASampleThatIsNoNumberIsRefusedBeforeItDoesHarm) {
    const std::vector<float> samples = test::audio_signal(10000);
    auto stream = run->tower->stream();
    std::vector<float> rows;
    ASSERT_TRUE(stream->push(run->c, std::span(samples).first(4000), rows, nullptr));
    for (const float bad : {NAN, INFINITY, -INFINITY, 1e30f}) {
        const float piece[] = {0.5f, bad};
        const Status s = stream->push(run->c, piece, rows, nullptr);
        ASSERT_FALSE(s);
        EXPECT_EQ(s.error().code, Code::bad_argument);
        EXPECT_NE(s.error().message.find("sample 4001 of the sound is"), std::string::npos) << s.error().message;
    }
    ASSERT_TRUE(stream->push(run->c, std::span(samples).subspan(4000), rows, nullptr));
    ASSERT_TRUE(stream->finish(run->c, rows, nullptr));
    expect_same_bits(rows, run->rows(samples), "after refusals");
}

TEST_F(SmallStream, SilenceGivesNumbers) {
    for (const float v : run->rows(std::vector<float>(30000))) ASSERT_TRUE(std::isfinite(v));
}

namespace {

// Multiplications of all products that an Input goes into.
class Work : public InputObserver {
public:
    void input(const View& weights, const View& x) override { multiplications += static_cast<double>(x.n_rows * x.n_cols * weights.n_rows); }
    double multiplications = 0;
};

}  // namespace

// Ten minutes in pieces of a second: the work of a second and what is kept do not grow, nothing is done twice, and the sums of the
// norms still say what transformers says with sums in double precision.
TEST_F(SmallStream, TenMinutes) {
    constexpr int64_t second = 16000, n_seconds = 600;
    Work work;
    run->c.inputs = &work;
    auto stream = run->tower->stream();
    std::vector<float> rows, last;
    std::vector<double> minute(10);
    uint64_t bytes_after_a_minute = 0;
    const uint32_t h = test::tower_hash("audio");
    const double pi = 3.14159265358979323846;
    std::vector<float> piece(static_cast<size_t>(second));
    for (int64_t s = 0; s < n_seconds; s++) {
        for (int64_t i = 0; i < second; i++) {
            const double t = static_cast<double>(s * second + i);
            const double u = test::tower_unit(h, static_cast<uint32_t>(s * second + i));
            const float sound = static_cast<float>(0.3 * std::sin(2 * pi * 440 * t / 16000) + 0.2 * std::sin(2 * pi * 1234.5 * t / 16000 + 0.5) + 0.05 * u);
            piece[i] = static_cast<float>(sound * (0.55 + 0.45 * std::sin(2 * pi * t / 400000)));
        }
        const double before = work.multiplications;
        ASSERT_TRUE(stream->push(run->c, piece, rows, nullptr));
        minute[s / 60] += work.multiplications - before;
        if (s == 59) bytes_after_a_minute = stream->bytes();
    }
    EXPECT_EQ(stream->bytes(), bytes_after_a_minute);
    // every sub-frame once through every matrix; the pieces end where rows do every four seconds
    const double width = 32, layer = 4 * width * 4 * width + 7 * width * width, a_minute = 60 * 25 * (width * 256 + 2 * layer);
    for (const int m : {1, 5, 9}) EXPECT_EQ(minute[m], a_minute) << "minute " << m;
    ASSERT_TRUE(stream->finish(run->c, rows, nullptr));
    const std::vector<float> expected = test::audio_data("long.f32");
    ASSERT_EQ(static_cast<int64_t>(rows.size()), 3750 * golden.sizes.width);
    EXPECT_LE(test::relative_rms(std::span(rows).last(expected.size()), expected), 5e-5);
}

}  // namespace gemma3n::model
