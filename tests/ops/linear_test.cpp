// Products of listed rows: the bits of the whole product, and nothing else touched.
#include "ops/linear.h"

#include "kernels/tables.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace gemma3n::ops::test {
namespace {

using kernels::test::Matrix;

struct Listed {
    const char* name;
    std::vector<int32_t> rows;
};

class LinearRows : public kernels::test::OnTable {};
INSTANTIATE_TEST_SUITE_P(, LinearRows, testing::ValuesIn(kernels::test::table_names()), kernels::test::test_name);

TEST_P(LinearRows, HaveTheBitsOfTheWholeProduct) {
    constexpr int64_t n_rows = 203, length = 512, most = kernels::matvec_max_rows;
    std::vector<Listed> lists{{"none", {}}, {"one", {202}}, {"neighbours", {7, 8, 9, 10}}, {"all", {}}, {"every third, backwards", {}}};
    for (int32_t r = 0; r < n_rows; r++) lists[3].rows.push_back(r);
    for (int32_t r = 200; r >= 0; r -= 3) lists[4].rows.push_back(r);
    Pool pool(3);
    for (const DType type : {DType::q4_0, DType::q6_k, DType::q8_0, DType::bf16, DType::f32}) {
        Matrix m(type, n_rows, length, 20);
        const Buffer weights{m.bytes.data(), m.bytes.size()};
        const View w{&weights, 0, type, n_rows, length, m.stride};
        for (const bool exact : {false, true}) {
            for (const int64_t n : {int64_t{1}, int64_t{3}, most}) {
                Arena scratch;
                Context c{*k, pool, scratch, exact};
                const View x = scratch.view(n, length), whole = scratch.view(n, n_rows), some = scratch.view(n, n_rows);
                for (int64_t i = 0; i < n * length; i++) x.f32()[i] = static_cast<float>((i * 7919) % 257 - 128) / 64;
                linear(c, x, w, whole);
                for (const Listed& list : lists) {
                    std::fill_n(some.f32(), n * n_rows, 77.0f);
                    Input in(x);
                    linear_rows(c, in, {w, some}, list.rows);
                    std::vector<float> expected(static_cast<size_t>(n * n_rows), 77.0f);
                    for (int64_t i = 0; i < n; i++)
                        for (const int32_t r : list.rows) expected[static_cast<size_t>(i * n_rows + r)] = whole.f32(i)[r];
                    ASSERT_EQ(0, memcmp(expected.data(), some.f32(), expected.size() * sizeof(float)))
                        << info(type).name << (exact ? ", exact, " : ", ") << list.name << ", " << n << " rows of x";
                }
            }
        }
    }
}

}  // namespace
}  // namespace gemma3n::ops::test
