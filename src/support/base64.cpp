#include "support/base64.h"

#include <algorithm>

#include <openssl/evp.h>

namespace slopegan {

std::string base64(std::span<const std::byte> bytes) {
  // OpenSSL counts in int; pieces of a multiple of three bytes need no padding between them.
  constexpr std::size_t most = std::size_t{3} << 20;
  std::string text;
  for (std::size_t begin = 0; begin < bytes.size(); begin += most) {
    const auto piece = bytes.subspan(begin, std::min(most, bytes.size() - begin));
    std::string encoded((piece.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                        reinterpret_cast<const unsigned char*>(piece.data()), static_cast<int>(piece.size()));
    text.append(encoded, 0, static_cast<std::size_t>(size));
  }
  return text;
}

}  // namespace slopegan
