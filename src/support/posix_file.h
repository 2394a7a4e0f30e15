#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace slopegan {

/// A path for a message: safe to print on a terminal.
std::string display(const std::filesystem::path& path);

/// Throws the IoError "cannot <action> <path>: <the system's reason>".
[[noreturn]] void throw_io_error(const char* action, const std::filesystem::path& path, int error = errno);

/// An open file, closed with the object and not inherited by programs that this one starts. Every failure is an IoError
/// that names the path and the system's reason.
class PosixFile {
 public:
  /// `flags` as open(2) takes them; a file that is created gets mode 0666 less the umask. Messages name `shown`, the
  /// path itself by default.
  PosixFile(std::filesystem::path path, int flags, std::filesystem::path shown = {});
  /// For a file that somebody else may have put there: a pipe or a device, which could keep a reader for ever, is
  /// refused.
  static PosixFile open_regular(std::filesystem::path path);
  ~PosixFile();
  PosixFile(PosixFile&& other) noexcept;
  PosixFile& operator=(PosixFile&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  /// In bytes.
  std::uint64_t size() const;
  /// Writes all of them.
  void write(std::span<const std::byte> bytes);
  /// Fills `buffer` as far as the file goes; returns the number of bytes, less than the buffer's size at the end only.
  std::size_t read(std::span<std::byte> buffer);
  /// Returns once the content is on the disk.
  void sync();

 private:
  std::filesystem::path path_, shown_;
  int descriptor_;
};

}  // namespace slopegan
