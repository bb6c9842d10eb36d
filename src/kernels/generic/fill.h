// What generic/ gives to a table: everything but the 8-bit products.
void fill(Table& t) {
    t.rms_norm = rms_norm;
    t.sum_squares = sum_squares;
    t.mean_deviation = mean_deviation;
    t.relu_shift = relu_shift;
    t.gelu_mul = gelu_mul;
    t.softcap = softcap;
    t.add = add;
    t.scale = scale;
    t.multiply = multiply;
    t.add_scaled = add_scaled;
    t.sum_scaled = sum_scaled;
    t.mix = mix;
    t.rope = rope;
    t.softmax = softmax;
    t.to_f32[static_cast<int>(DType::f32)] = row_to_f32<RowF32>;
    t.to_f32[static_cast<int>(DType::f16)] = row_to_f32<RowF16>;
    t.to_f32[static_cast<int>(DType::bf16)] = row_to_f32<RowBf16>;
    t.to_f32[static_cast<int>(DType::q4_0)] = blocks_to_f32<ValuesQ4_0>;
    t.to_f32[static_cast<int>(DType::q4_1)] = blocks_to_f32<ValuesQ4_1>;
    t.to_f32[static_cast<int>(DType::q5_0)] = blocks_to_f32<ValuesQ5_0>;
    t.to_f32[static_cast<int>(DType::q5_1)] = blocks_to_f32<ValuesQ5_1>;
    t.to_f32[static_cast<int>(DType::q8_0)] = blocks_to_f32<ValuesQ8_0>;
    t.to_f32[static_cast<int>(DType::q2_k)] = blocks_to_f32<ValuesQ2_K>;
    t.to_f32[static_cast<int>(DType::q3_k)] = blocks_to_f32<ValuesQ3_K>;
    t.to_f32[static_cast<int>(DType::q4_k)] = blocks_to_f32<ValuesQ4_K>;
    t.to_f32[static_cast<int>(DType::q5_k)] = blocks_to_f32<ValuesQ5_K>;
    t.to_f32[static_cast<int>(DType::q6_k)] = blocks_to_f32<ValuesQ6_K>;
    t.to_f32[static_cast<int>(DType::iq4_nl)] = blocks_to_f32<ValuesIQ4_NL>;
    t.to_f32[static_cast<int>(DType::iq4_xs)] = blocks_to_f32<ValuesIQ4_XS>;
    t.f32_to_f16 = f32_to_f16;
    t.matvec_f32 = matvec_f32;
    t.matmul_f32 = matmul_f32;
    t.scores = scores;
    t.values = values;
}
