#include "hub/digest.h"

#include <openssl/evp.h>

#include <algorithm>

namespace gemma3n::hub {

static EVP_MD_CTX* context(void* p) { return static_cast<EVP_MD_CTX*>(p); }

std::unique_ptr<Digest> Digest::of(const std::string& etag, uint64_t size) {
    const bool hex = std::all_of(etag.begin(), etag.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (!hex || (etag.size() != 64 && etag.size() != 40)) return nullptr;
    return std::unique_ptr<Digest>(new Digest(etag.size() == 40, size));
}

Digest::Digest(bool git, uint64_t size) : context_(EVP_MD_CTX_new()), git_(git), size_(size) { restart(); }
Digest::~Digest() { EVP_MD_CTX_free(context(context_)); }

void Digest::restart() {
    EVP_DigestInit_ex(context(context_), git_ ? EVP_sha1() : EVP_sha256(), nullptr);
    if (!git_) return;
    const std::string head = "blob " + std::to_string(size_);
    add({head.c_str(), head.size() + 1});  // with its zero byte
}

void Digest::add(std::string_view bytes) { EVP_DigestUpdate(context(context_), bytes.data(), bytes.size()); }

std::string Digest::hex() {
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    EVP_DigestFinal_ex(context(context_), raw, &n);
    std::string out;
    for (unsigned int i = 0; i < n; i++) out += text("%02x", raw[i]);
    return out;
}

}  // namespace gemma3n::hub
