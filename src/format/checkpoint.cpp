#include "format/checkpoint.h"

#include "format/gguf.h"
#include "format/names.h"
#include "format/safetensors.h"

#include <algorithm>
#include <filesystem>
#include <tuple>

namespace gemma3n::format {

Result<std::shared_ptr<Checkpoint>> Checkpoint::open(const std::string& path) {
    std::error_code ec;
    const auto status = std::filesystem::status(path, ec);
    if (status.type() == std::filesystem::file_type::none) return fail(Code::io, "%s: cannot be examined: %s", path.c_str(), ec.message().c_str());
    if (!std::filesystem::exists(status)) return fail(Code::not_found, "%s: no such file or directory: expected a .gguf file or a directory with config.json", path.c_str());
    if (std::filesystem::is_directory(status)) return SafetensorsReader::read(path);
    ASSIGN(auto file, File::open(path));
    return GgufReader::read(std::move(file));
}

Status Checkpoint::add(TensorInfo t) {
    if (!index_.emplace(t.name, tensors_.size()).second) {
        return fail(Code::bad_file, "%s: tensor '%s' appears twice", path_.c_str(), shown(t.stored_name).c_str());
    }
    tensors_.push_back(std::move(t));
    return {};
}

// Tensors that share bytes would let a small file stand for any amount of memory, where values are copied out.
Status Checkpoint::seal() {
    std::vector<const TensorInfo*> by_place;
    for (const TensorInfo& t : tensors_) by_place.push_back(&t);
    const auto place = [](const TensorInfo* t) { return std::tie(t->file, t->offset); };
    std::sort(by_place.begin(), by_place.end(), [&](auto* a, auto* b) { return place(a) < place(b); });
    for (size_t i = 1; i < by_place.size(); i++) {
        const TensorInfo &a = *by_place[i - 1], &b = *by_place[i];
        if (a.file == b.file && a.offset + a.bytes > b.offset) {
            return fail(Code::bad_file, "%s: tensors '%s' and '%s' share bytes of the file: expected each to have its own", path_.c_str(),
                        shown(a.stored_name).c_str(), shown(b.stored_name).c_str());
        }
    }
    for (auto& f : files_) buffers_.push_back({const_cast<std::byte*>(f->data()), f->size()});
    return {};
}

const TensorInfo* Checkpoint::find(std::string_view name) const {
    const auto it = index_.find(name);
    return it == index_.end() ? nullptr : &tensors_[it->second];
}

const std::string* Checkpoint::text(std::string_view key) const {
    const auto it = metadata_.find(key);
    return it == metadata_.end() ? nullptr : std::get_if<std::string>(&it->second);
}

View Checkpoint::view(const TensorInfo& t) const {
    return {&buffers_[static_cast<size_t>(t.file)], t.offset, t.type, t.rows, t.cols, row_bytes(t.type, t.cols)};
}

Result<std::string> Checkpoint::side_file(const std::string& name) const {
    if (container_ == Container::gguf) return fail(Code::not_found, "%s: a GGUF file has no %s beside it", path_.c_str(), name.c_str());
    ASSIGN(auto file, File::open(path_ + "/" + name));
    std::string text(file->size(), '\0');
    TRY(file->read(0, {reinterpret_cast<std::byte*>(text.data()), text.size()}));
    return text;
}

Status Checkpoint::intact() const {
    for (auto& f : files_) TRY(f->intact());
    return {};
}

}  // namespace gemma3n::format
