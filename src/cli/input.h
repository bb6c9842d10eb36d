// Standard input: a whole pipe, or line by line from a person.
#pragma once

#include <string>

namespace gemma3n::cli {

// All of it; false when it could not be read or Ctrl-C came first.
bool read_all(std::string& out);

// A line without its newline. end: no more lines; interrupted: Ctrl-C came instead.
enum class Line { read, end, interrupted };
Line read_line(std::string& line);

}  // namespace gemma3n::cli
