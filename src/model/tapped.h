// Named tensors of a tower for a Tap.
#pragma once

#include "model/text/decoder.h"
#include "ops/map.h"

#include <string>
#include <utility>
#include <vector>

namespace gemma3n::model {

// The name of the module at work. `tap` may be null: then no names are made. A stream shows a name once for every group of rows that it
// computes, the groups one after the other.
struct Tapped {
    Tap* tap = nullptr;
    std::string name;

    Tapped in(const std::string& module) const { return tap ? Tapped{tap, name + "." + module} : Tapped{}; }

    // The module's result. `values` has as many values as the shape, in rows one after the other.
    void see(std::vector<int64_t> shape, const View& values) const {
        if (tap && tap->wants(name)) tap->tensor(name, std::move(shape), values);
    }
    void see(const View& rows) const { see({rows.n_rows, rows.n_cols}, rows); }
    void see(const ops::Map& map) const { see({map.height, map.width, map.channels()}, map.values); }
};

}  // namespace gemma3n::model
