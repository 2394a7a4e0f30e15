#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/targets.h"
#include "support/text.h"

namespace slopegan::fuzz {

/// Aborts the process if a property of the reader does not hold, so that libFuzzer keeps the input.
inline void promise(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated property: %s\n", what);
  std::abort();
}

/// Aborts the process if an error message is empty or not printable.
inline void promise_message(const std::string& message) {
  promise(!message.empty() && printable_lines(message) == message, "messages are printable");
}

/// A regular file in memory, so that a fuzzer can read thousands of files per second.
class MemoryFile {
 public:
  explicit MemoryFile(Bytes content) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    promise(descriptor_ >= 0, "memfd_create succeeds");
    promise(::write(descriptor_, content.data(), content.size()) == std::ssize(content), "write succeeds");
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace slopegan::fuzz
