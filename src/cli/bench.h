// What the kinds of benchmark share.
#pragma once

#include "cli/commands.h"
#include "cli/json.h"
#include "measure/roof.h"

#include <string>

namespace gemma3n::cli {

Json roof_json(const measure::Roof& roof);
void roof_table(const measure::Roof& roof);
// bench --vision, --audio: the towers alone.
int bench_towers(const BenchOptions& o);
// Refuses a roof whose buffer is larger than --memory.
Status check_roof(const BenchOptions& o);

}  // namespace gemma3n::cli
