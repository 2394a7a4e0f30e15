#pragma once

#include <filesystem>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/promise.h"
#include "fuzz/targets.h"

namespace slopegan::fuzz {

/// A regular file that is in memory only: fuzzers read thousands in a second.
class MemoryFile {
 public:
  explicit MemoryFile(Bytes content) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    promise(descriptor_ >= 0, "a file in memory can be made");
    promise(::write(descriptor_, content.data(), content.size()) == std::ssize(content), "it can be written");
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace slopegan::fuzz
