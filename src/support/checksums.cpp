#include "support/checksums.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include <openssl/evp.h>

#include "support/posix_file.h"

namespace slopegan {

static void require(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL failed to compute a SHA-256 digest");
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

std::string sha256_hex(std::string_view text) { return sha256_hex(std::as_bytes(std::span(text))); }

std::string sha256_file(const std::filesystem::path& file) {
  PosixFile input = PosixFile::open_regular(file);
  std::vector<std::byte> buffer(std::size_t{1} << 18);
  Sha256 sha;
  while (const std::size_t count = input.read(buffer)) sha.update(std::span(buffer).first(count));
  return sha.hex();
}

static constexpr std::array<std::uint32_t, 256> make_crc_table() {
  constexpr std::uint32_t reversed_polynomial = 0x82f63b78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? reversed_polynomial : 0);
    table[byte] = remainder;
  }
  return table;
}

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto table = make_crc_table();
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char c : bytes) {
    crc = (crc >> 8) ^ table[static_cast<std::size_t>((crc ^ static_cast<unsigned char>(c)) & 0xff)];
  }
  return ~crc;
}

std::string base64(std::span<const std::byte> bytes) {
  // OpenSSL takes sizes as int. Pieces whose size is a multiple of three need no padding.
  constexpr std::size_t piece_bytes = std::size_t{3} << 20;
  std::string text;
  for (std::size_t begin = 0; begin < bytes.size(); begin += piece_bytes) {
    const auto piece = bytes.subspan(begin, std::min(piece_bytes, bytes.size() - begin));
    std::string encoded((piece.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL appends a zero byte
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                        reinterpret_cast<const unsigned char*>(piece.data()), static_cast<int>(piece.size()));
    text.append(encoded, 0, static_cast<std::size_t>(size));
  }
  return text;
}

std::string base64(std::string_view text) { return base64(std::as_bytes(std::span(text))); }

}  // namespace slopegan
