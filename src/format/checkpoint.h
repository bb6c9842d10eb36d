// A checkpoint: named tensors in mapped files plus metadata, whatever the container. This room knows bytes and names, not
// networks. Opened from a GGUF file (v2, v3) or a Hugging Face directory (config.json + sharded safetensors).
//
// Tensor names are the checkpoint's own, canonical: the Hugging Face name without its prefix ("layers.3.mlp.up_proj.weight",
// "embed_tokens.weight"). GGUF names are translated by format/names; the stacked altup_proj becomes altup_projections.0..2.
#pragma once

#include "base/file.h"
#include "base/result.h"
#include "tensor/view.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gemma3n::format {

enum class Container { gguf, safetensors };

// A tensor as the file has it. Every field was checked against the file's size before it was stored.
struct TensorInfo {
    std::string name;         // canonical
    std::string stored_name;  // as in the file, for messages
    DType type = DType::f32;
    int64_t rows = 0, cols = 0;  // a vector has rows = 1; more than two dimensions are flattened into rows
    std::vector<int64_t> shape;  // outermost first
    int file = 0;
    uint64_t offset = 0, bytes = 0;  // in that file
};

// A GGUF metadata value. Numbers of any stored width come as int64/double; arrays of numbers as vectors; an array of strings as
// views into the mapped file (262144 tokens are not copied).
using MetaValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                               std::vector<std::string_view>>;

// The same value as its bytes, for a file that takes it over unchanged. Views into the mapped file.
struct RawMetaValue {
    std::string_view key;
    uint32_t type = 0;       // GGUF's number
    std::string_view bytes;  // after key and type
};

class Checkpoint {
public:
    // A .gguf file, any one file of a split set is refused with a sentence, or a directory.
    static Result<std::shared_ptr<Checkpoint>> open(const std::string& path);

    Container container() const { return container_; }
    const std::string& path() const { return path_; }

    const std::vector<TensorInfo>& tensors() const { return tensors_; }
    const TensorInfo* find(std::string_view canonical_name) const;  // null if absent
    View view(const TensorInfo& t) const;                           // into the mapped file, zero copy
    const std::vector<std::shared_ptr<File>>& files() const { return files_; }

    // GGUF metadata by key; empty for safetensors. Typed getters accept any integer or float type for a number.
    const std::map<std::string, MetaValue, std::less<>>& metadata() const { return metadata_; }
    const std::string* text(std::string_view key) const;  // a value that is a text; null if absent or something else
    const std::vector<RawMetaValue>& raw_metadata() const { return raw_metadata_; }  // in the file's order
    // config.json as text; empty for GGUF.
    const std::string& config_json() const { return config_json_; }
    // A small text file beside the weights (tokenizer.json, chat_template.jinja); nullopt-like empty Result error if absent.
    Result<std::string> side_file(const std::string& name) const;

    // OK while every mapped file is whole.
    Status intact() const;

private:
    friend struct GgufReader;
    friend struct SafetensorsReader;
    Status add(TensorInfo t);  // refuses a second tensor of the same name
    Status seal();             // after the last add: no two tensors share bytes, the files' buffers exist, views may be made
    Container container_{};
    std::string path_;
    std::vector<std::shared_ptr<File>> files_;
    std::vector<Buffer> buffers_;  // one per file, stable addresses
    std::vector<TensorInfo> tensors_;
    std::map<std::string, size_t, std::less<>> index_;
    std::map<std::string, MetaValue, std::less<>> metadata_;
    std::vector<RawMetaValue> raw_metadata_;
    std::string config_json_;
};

}  // namespace gemma3n::format
