#include "support/sha256.h"

#include <array>
#include <stdexcept>
#include <vector>

#include <openssl/evp.h>

#include "support/posix_file.h"

namespace slopegan {

static void require(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL could not compute a SHA-256 digest");
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ != nullptr ? 1 : 0);
  require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::update(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(context_.get(), digest.data(), &size));
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 sha;
  sha.update(bytes);
  return sha.hex();
}

std::string sha256_file(const std::filesystem::path& file) {
  PosixFile input = PosixFile::open_regular(file);
  std::vector<std::byte> buffer(std::size_t{1} << 18);
  Sha256 sha;
  while (const std::size_t count = input.read(buffer)) sha.update(std::span(buffer).first(count));
  return sha.hex();
}

}  // namespace slopegan
