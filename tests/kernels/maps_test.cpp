// Kernels over maps of features: against the reference, at every width, kernel, stride and edge.
#include "kernels/tables.h"

namespace gemma3n::kernels {
namespace {

using test::Guarded;
using test::normal;
using test::unit;

class Maps : public test::OnTable {
protected:
    void check(const DepthwiseRow& s, uint32_t missing_rows) {
        const int64_t taps = s.kernel * s.kernel;
        Guarded<float> w(normal(taps * s.channels, 1)), y(s.outputs * s.channels, 5.0f), expected(s.outputs * s.channels);
        std::vector<Guarded<float>> in;
        std::vector<const float*> rows;
        for (int ky = 0; ky < s.kernel; ky++) in.emplace_back(normal(s.inputs * s.channels, 2 + static_cast<uint64_t>(ky)));
        for (int ky = 0; ky < s.kernel; ky++) rows.push_back(missing_rows >> ky & 1 ? nullptr : in[static_cast<size_t>(ky)].data());
        k->depthwise(s, rows.data(), w, y);
        truth.depthwise(s, rows.data(), w, expected);
        for (int64_t i = 0; i < s.outputs * s.channels; i++) {
            // a chain of at most 49 products of normal values, each below 5 * 5
            ASSERT_NEAR(y[i], expected[i], static_cast<double>(taps) * unit * 25) << "value " << i << ": " << s.channels << " channels, " << s.inputs << " to " << s.outputs << ", kernel "
                                                                                 << s.kernel << ", stride " << s.stride << ", before " << s.before;
        }
        EXPECT_TRUE(y.intact() && w.intact());
    }
};
ON_EVERY_TABLE(Maps);

TEST_P(Maps, DepthwiseAtEveryShape) {
    for (int64_t channels : {1, 3, 4, 5, 8, 15, 16, 17, 33, 64})
        for (int kernel : {1, 2, 3, 5, 7})
            for (int stride : {1, 2, 3})
                for (int64_t inputs : {1, 2, 3, 4, 6, 7, 9, 16, 23}) {
                    const int64_t outputs = (inputs + stride - 1) / stride, total = std::max<int64_t>((outputs - 1) * stride + kernel - inputs, 0);
                    for (int64_t before : {total / 2, total}) check({channels, inputs, outputs, kernel, stride, before}, 0);
                }
}

TEST_P(Maps, DepthwiseWithRowsOutsideTheMap) {
    for (uint32_t missing = 0; missing < 32; missing++) check({20, 11, 11, 5, 1, 2}, missing);
}

// The definition itself, in numbers that can be followed: two channels, three pixels, a kernel of 2.
TEST_P(Maps, DepthwiseByHand) {
    const float above[] = {1, 10, 2, 20, 3, 30}, below[] = {4, 40, 5, 50, 6, 60};
    const float* rows[] = {above, below};
    const float w[] = {1, -1, 10, -2, 100, -3, 1000, -4};  // taps (0,0), (0,1), (1,0), (1,1), each of both channels
    float y[6];
    k->depthwise({2, 3, 3, 2, 1, 0}, rows, w, y);
    EXPECT_EQ(std::vector<float>(y, y + 6), (std::vector<float>{5421, -370, 6532, -470, 603, -210}));
    k->depthwise({2, 3, 2, 2, 2, 1}, rows, w, y);  // a column of zeros before
    EXPECT_EQ(std::vector<float>(y, y + 4), (std::vector<float>{4010, -180, 6532, -470}));
}

}  // namespace
}  // namespace gemma3n::kernels
