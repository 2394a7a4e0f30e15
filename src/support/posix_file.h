#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace slopegan {

/// Returns `path` in a form that is safe to print on a terminal, for messages.
std::string display(const std::filesystem::path& path);

/// Throws an IoError with the message "cannot <action> <path>: <description of error>".
[[noreturn]] void throw_io_error(const char* action, const std::filesystem::path& path, int error = errno);

/// Whether the error of a system call means that the file system or the operating system does not support the call.
bool is_unsupported(int error);

/// Owns the descriptor of an open file. Child processes do not inherit it. Every failure throws an IoError with the
/// path and the system's error message.
class PosixFile {
 public:
  /// Opens `path` with the flags of open(2); a new file has mode 0666 minus the umask. Messages name `shown`, which is
  /// the path itself by default.
  PosixFile(std::filesystem::path path, int flags, std::filesystem::path shown = {});
  /// Opens a file from an untrusted source for reading. Refuses pipes and devices, which could block forever.
  static PosixFile open_regular(std::filesystem::path path);
  ~PosixFile();
  PosixFile(PosixFile&& other) noexcept;
  PosixFile& operator=(PosixFile&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  /// The size in bytes.
  std::uint64_t size() const;
  /// Writes all bytes.
  void write(std::span<const std::byte> bytes);
  /// Reads until `buffer` is full or the file ends. Returns the number of bytes read.
  std::size_t read(std::span<std::byte> buffer);
  /// Flushes the content to the disk (fsync), if the file system supports this.
  void sync();

 private:
  std::filesystem::path path_, shown_;
  int descriptor_;
};

/// A regular file mapped into memory, read-only; if the file system does not support memory maps, the file is read into
/// memory. It may be unlinked but must not be shortened while it is mapped. Throws an IoError that names the file.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace slopegan
