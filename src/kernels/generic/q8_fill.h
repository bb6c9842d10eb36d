// Every block type into a table, once a set has its matvec_q8<T> and matmul_q8<T>.
template <class... T>
void fill_each(Table& t) {
    ((t.matvec_q8[static_cast<int>(T::type)] = matvec_q8<T>), ...);
    ((t.matmul_q8[static_cast<int>(T::type)] = matmul_q8<T>), ...);
}

void fill_types(Table& t) { fill_each<Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS>(t); }
