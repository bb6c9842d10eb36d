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
    t.to_f32[static_cast<int>(DType::q4_0)] = blocks_to_f32<BlockQ4_0, 32>;
    t.to_f32[static_cast<int>(DType::q5_0)] = blocks_to_f32<BlockQ5_0, 32>;
    t.to_f32[static_cast<int>(DType::q8_0)] = blocks_to_f32<BlockQ8_0, 32>;
    t.to_f32[static_cast<int>(DType::q4_k)] = blocks_to_f32<BlockQ4_K, 256>;
    t.to_f32[static_cast<int>(DType::q6_k)] = blocks_to_f32<BlockQ6_K, 256>;
    t.f32_to_f16 = f32_to_f16;
    t.matvec_f32 = matvec_f32;
    t.matmul_f32 = matmul_f32;
    t.scores = scores;
    t.values = values;
}
