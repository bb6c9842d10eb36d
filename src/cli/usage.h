// What the command line takes, checked: validators whose sentence names what was found and what was expected, and one sentence for
// each way in which CLI11 can refuse a command line.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace gemma3n::cli {

// Decimal only: CLI11 would read 010 as eight.
CLI::Validator whole(int64_t low, int64_t high);
CLI::Validator multiple(int64_t of, int64_t high);  // and not 0
CLI::Validator number(double low, double high);
CLI::Validator byte_size();  // 2G, 1500M, 2e9 or plain bytes, as a number of bytes
CLI::Validator not_empty(const std::string& expected);
CLI::Validator one_of(const std::vector<std::string>& words);

// The command that was named on the line, or the program itself.
const CLI::App& named_command(const CLI::App& app);
std::string sentence(const CLI::App& app, const CLI::ParseError& e);

}  // namespace gemma3n::cli
