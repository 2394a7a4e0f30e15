#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/posix_file.h"

/// Crash-safe files and directories. A failed system call throws IoError with the path and the system's error message.
namespace slopegan {

/// Reads the whole file. Refuses pipes, devices, and files larger than `limit` bytes.
std::string read_file(const std::filesystem::path& file, std::size_t limit);

/// The size of a file in bytes, or 0 if it cannot be determined, for example because the file does not exist.
std::uint64_t file_size_or_zero(const std::filesystem::path& file);

/// Throws UsageError if `file` is a directory, a pipe or a device, or if it exists and `overwrite` is false.
void require_free(const std::filesystem::path& file, bool overwrite);

/// Determines when written content must reach the disk. `later` is suitable for thousands of small files that can be
/// written again: readers never see a partial file, even if the process is killed, but a power failure before
/// sync_file_system may lose files.
enum class Sync { now, later };

/// Replaces the content of `file` atomically: readers see either the old or the new content, even if the process or,
/// with Sync::now, the machine crashes. With Sync::now, the content is on the disk when the function returns. A symlink
/// is replaced, not followed. Throws IoError if `file` is a pipe, a socket or a device, or a symlink to one.
void write_file_atomic(const std::filesystem::path& file, std::string_view content, Sync sync = Sync::now);

/// Flushes all data written to the file system of `directory` to the disk (syncfs).
void sync_file_system(const std::filesystem::path& directory);

/// An atomic write of a file that is too large to fit in memory. The caller opens temporary(), which is in the
/// directory of `file`, and writes the content to it; commit() moves it to `file`. Without commit(), the destructor
/// deletes the temporary file. The constructor throws IoError if `file` is a pipe or a device.
class PendingFile {
 public:
  explicit PendingFile(std::filesystem::path file);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::filesystem::path& file() const { return file_; }
  /// The temporary file. It does not exist until the caller creates it.
  const std::filesystem::path& temporary() const { return temporary_; }
  /// Flushes temporary() to the disk and renames it to file(), as write_file_atomic does.
  void commit();

 private:
  std::filesystem::path file_, temporary_;
};

/// Flushes the directory's entries (created, renamed and removed files) to the disk.
void sync_directory(const std::filesystem::path& directory);

/// Creates `directory` and its missing parents and flushes their entries to the disk.
void make_directories(const std::filesystem::path& directory);

/// Creates the missing parent directories of `file`, an output file named by the user.
void make_parent_directories(const std::filesystem::path& file);

/// The entries of `directory` in unspecified order; empty if it does not exist.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& directory);

/// The name of `directory`, which need not exist; for ".", that of the current directory.
std::string directory_name(const std::filesystem::path& directory);

/// Whether `inner` is `outer` or below it. Both must be canonical.
bool is_within(const std::filesystem::path& inner, const std::filesystem::path& outer);

/// The name prefix of incomplete files and directories. If only one process writes to a directory, it may delete the
/// entries with this prefix, because a killed process left them behind.
inline constexpr std::string_view temporary_prefix = ".tmp-";
void remove_temporaries(const std::filesystem::path& directory);

/// Removes `path` recursively, if it exists. Symlinks are removed, not followed.
void remove_tree(const std::filesystem::path& path);

/// Renames `from` to `to`, replacing a file or an empty directory at `to`.
void rename_path(const std::filesystem::path& from, const std::filesystem::path& to);

/// An append-only file of lines or records with a single writer. It is created if it does not exist.
class AppendFile {
 public:
  explicit AppendFile(const std::filesystem::path& file);

  /// Appends `line` and a newline. `line` must not contain a newline.
  void append_line(std::string_view line);
  /// Appends `bytes` with a single write(2), so that readers see only complete records. If the disk is full, removes
  /// the partial record and throws IoError.
  void append(std::string_view bytes);
  /// The size in bytes.
  std::uint64_t size() const { return file_.size(); }
  /// Truncates the file to `offset` bytes. Throws IoError if it is shorter.
  void truncate_to(std::uint64_t offset);
  /// Flushes the content to the disk.
  void sync() { file_.sync(); }

 private:
  PosixFile file_;
};

}  // namespace slopegan
