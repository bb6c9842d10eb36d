#include "cli/other_type.h"

#include "base/cpu.h"
#include "base/utf8.h"
#include "format/projector.h"
#include "quant/quantise.h"

#include <cstdlib>
#include <filesystem>

namespace gemma3n::cli {

namespace fs = std::filesystem;

Status OtherType::make(const std::string& model, format::Mix mix, bool towers, int threads, const std::function<bool(double fraction)>& progress) {
    std::error_code ec;
    const fs::path place = fs::temp_directory_path(ec);
    if (ec) return fail(Code::io, "TMPDIR is '%s': %s: expected a folder, in which types are made to be measured", shown(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "").c_str(), ec.message().c_str());
    TRY(folder_.create((place / "gemma3n-eval").string()));
    const bool directory = fs::is_directory(model, ec);
    fs::path name = fs::path(model).lexically_normal();
    if (!name.has_filename()) name = name.parent_path();  // "DIR/"
    path_ = folder_.file((directory ? name.filename() : name.stem()).string() + "-" + std::string(format::name(mix)) + ".gguf");
    std::string projector;
    if (towers && !directory) {
        ASSIGN(projector, format::find_projector(model));
    }
    quant::Options options;
    options.mix = mix;
    options.text_only = !towers;
    options.threads = threads > 0 ? threads : physical_cores();
    options.progress = progress;
    TRY(quant::quantise(model, path_, options));
    return projector.empty() ? Status{} : quant::quantise(projector, format::projector_path(path_), options);
}

}  // namespace gemma3n::cli
