#include "base/output_directory.h"

#include "base/output_file.h"

#include <filesystem>

namespace gemma3n {

namespace fs = std::filesystem;

OutputDirectory::~OutputDirectory() {
    std::error_code ignored;
    if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

Status OutputDirectory::create(const std::string& path) {
    path_ = path;
    while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
    std::error_code ec;
    if (fs::exists(path_, ec) && !(fs::is_directory(path_, ec) && fs::is_empty(path_, ec))) {
        return fail(Code::io, "%s: is there already and is not an empty directory", path_.c_str());
    }
    const std::string temporary = temporary_name(path_);
    if (!fs::create_directory(temporary, ec)) return fail(Code::io, "%s: cannot be created: %s", path_.c_str(), ec ? ec.message().c_str() : "it is there already");
    temporary_ = temporary;
    return {};
}

Status OutputDirectory::write(const std::string& name, const std::string& content) const {
    OutputFile f;
    TRY(f.open(file(name)));
    TRY(f.write(content.data(), content.size()));
    return f.close();
}

Error OutputDirectory::restated(Error e) const {
    if (!temporary_.empty() && e.message.starts_with(temporary_)) e.message.replace(0, temporary_.size(), path_);
    return e;
}

Status OutputDirectory::close() {
    std::error_code ec;
    fs::rename(temporary_, path_, ec);
    if (ec) return fail(Code::io, "%s: cannot be put in place: %s", path_.c_str(), ec.message().c_str());
    temporary_.clear();
    return {};
}

}  // namespace gemma3n
