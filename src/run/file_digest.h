#pragma once

#include <cstdint>
#include <string>

namespace slopegan {

struct FileDigest {
  std::uint64_t size = 0;
  std::string sha256;
  bool operator==(const FileDigest&) const = default;
};

}  // namespace slopegan
