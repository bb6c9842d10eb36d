// Importance: how large the inputs of each matrix are, column by column, over some text. An error in a column whose inputs are large
// costs more. Two file formats, both llama.cpp's: a GGUF file of sums (written and read), and the older binary list (read).
#pragma once

#include "base/result.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gemma3n::quant {

struct ImatrixEntry {
    std::vector<double> sum;  // of squares, by column
    int64_t count = 0;        // rows that were added
};

struct Imatrix {
    std::map<std::string, ImatrixEntry> entries;  // by GGUF tensor name
    std::string dataset;                          // the name of the text
    int64_t chunks = 0, chunk_tokens = 0;
};

Status write_imatrix(const Imatrix& m, const std::string& path);

// Mean squares by tensor name. Entries without a count are left out.
using Importance = std::map<std::string, std::vector<float>>;
Result<Importance> read_imatrix(const std::string& path);

}  // namespace gemma3n::quant
