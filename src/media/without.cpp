// What a build without a library says in its place.
#include "media/picture.h"
#include "media/sound.h"

namespace gemma3n {

namespace media {

#if !defined(G3N_JPEG) || !defined(G3N_PNG) || !defined(G3N_WEBP)
namespace {
Error missing(const std::string& name, const char* kind, const char* library) {
    return fail(Code::unsupported, "%s: is a %s picture, and this build has no %s to decode it", name.c_str(), kind, library);
}
}  // namespace
#endif
#ifndef G3N_JPEG
Result<Picture> decode_jpeg(Bytes, const std::string& name, int64_t) { return missing(name, "JPEG", "libjpeg-turbo"); }
#endif
#ifndef G3N_PNG
Result<Picture> decode_png(Bytes, const std::string& name, int64_t) { return missing(name, "PNG", "libpng"); }
#endif
#ifndef G3N_WEBP
Result<Picture> decode_webp(Bytes, const std::string& name, int64_t) { return missing(name, "WebP", "libwebp"); }
#endif
#ifndef G3N_FFMPEG
Result<std::unique_ptr<SoundSource>> open_container(std::unique_ptr<Input> in) {
    return fail(Code::unsupported, "%s: is no WAV file, and this build has no FFmpeg to decode other sound", in->name().c_str());
}
#endif

}  // namespace media

#ifndef G3N_FFMPEG
Result<std::unique_ptr<VideoReader>> VideoReader::open(const std::string& path, const VideoOptions&) {
    return fail(Code::unsupported, "%s: this build has no FFmpeg to decode video", path.c_str());
}
#endif

MediaSupport media_support() {
    MediaSupport s;
#ifdef G3N_JPEG
    s.jpeg = true;
#endif
#ifdef G3N_PNG
    s.png = true;
#endif
#ifdef G3N_WEBP
    s.webp = true;
#endif
#ifdef G3N_FFMPEG
    s.containers = true;
#endif
    return s;
}

}  // namespace gemma3n
