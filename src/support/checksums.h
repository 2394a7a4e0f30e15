#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

/// Checksums and encodings of bytes: SHA-256, CRC-32C, Base64.
namespace slopegan {

/// The SHA-256 of bytes that arrive in pieces.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  /// The digest of all bytes as 64 lower-case hexadecimal digits. The object cannot be used afterwards.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// The size and SHA-256 of a file.
struct FileDigest {
  std::uint64_t size = 0;
  std::string sha256;
  bool operator==(const FileDigest&) const = default;
};

std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);

/// The SHA-256 of the content of `file`. Throws IoError if the file cannot be read.
std::string sha256_file(const std::filesystem::path& file);

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4), which zlib does not provide.
std::uint32_t crc32c(std::string_view bytes);

/// Base64 (RFC 4648) with padding and without line breaks.
std::string base64(std::span<const std::byte> bytes);
std::string base64(std::string_view text);

}  // namespace slopegan
