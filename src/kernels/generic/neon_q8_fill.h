// What an arm set gives to a table, once it has defined matmul_q8<Type> beside generic/neon_q8.h.
template <class Type>
void fill_type(Table& t, DType type) {
    t.matvec_q8[static_cast<int>(type)] = matvec_q8<Type>;
    t.matmul_q8[static_cast<int>(type)] = matmul_q8<Type>;
}

void fill(Table& t) {
    t.quantize_q8 = quantize_q8;
    fill_type<Q4_0>(t, DType::q4_0);
    fill_type<Q5_0>(t, DType::q5_0);
    fill_type<Q8_0>(t, DType::q8_0);
    fill_type<Q4_K>(t, DType::q4_k);
    fill_type<Q6_K>(t, DType::q6_k);
}
