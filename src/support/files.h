#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/posix_file.h"

/// Files that survive a crash. Every failure is an IoError that names the path and the system's reason.
namespace slopegan {

/// The whole content; a file of more than `limit` bytes is refused, and so are pipes and devices.
std::string read_file(const std::filesystem::path& file, std::size_t limit);

/// Throws UsageError where something stands at `file` already and may not be replaced, or it is a directory.
void require_free(const std::filesystem::path& file, bool overwrite);

/// When what is written has to be on the disk. `later` is for thousands of small files that can be made again: each is
/// whole for every reader even where this process is killed, but a machine that loses its power may lose them until
/// sync_file_system is called.
enum class Sync { now, later };

/// Whoever reads `file` sees the old content or the new, never a part, whenever this process or (Sync::now) the machine
/// stops. The new content is then on the disk when this returns. A symbolic link is replaced, not followed.
void write_file_atomic(const std::filesystem::path& file, std::string_view content, Sync sync = Sync::now);

/// Returns once everything that was written to the file system of `directory` is on the disk.
void sync_file_system(const std::filesystem::path& directory);

/// A file too large to be held in memory: it is written under another name beside `file`, by whoever opens that, and
/// takes its place when it is whole. Without commit() nothing of it stays.
class PendingFile {
 public:
  explicit PendingFile(std::filesystem::path file);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::filesystem::path& file() const { return file_; }
  /// Nothing is there yet.
  const std::filesystem::path& temporary() const { return temporary_; }
  /// What stands at temporary() is brought to the disk and then replaces file(), as write_file_atomic does it.
  void commit();

 private:
  std::filesystem::path file_, temporary_;
};

/// Returns once the entries of the directory (created, renamed, removed files) are on the disk.
void sync_directory(const std::filesystem::path& directory);

/// With its parents; one that is there is fine. The entries of new ones are on the disk when this returns.
void make_directories(const std::filesystem::path& directory);

/// What is in the directory, in no order; nothing where there is no directory.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& directory);

/// The beginning of the name of everything that is still being written. Whoever has a directory for himself may remove
/// what bears such a name there: a process that was killed left it.
inline constexpr std::string_view temporary_prefix = ".tmp-";
void remove_temporaries(const std::filesystem::path& directory);

/// With everything in it; links are removed, not followed. One that is not there is fine.
void remove_tree(const std::filesystem::path& path);

/// Replaces a file (not a directory that holds something) at `to`.
void rename_path(const std::filesystem::path& from, const std::filesystem::path& to);

/// An exclusive lock, held while the object lives and released by the system at any death of the process. Programs that
/// this one starts do not inherit it.
class FileLock {
 public:
  /// Locks `file`, which is created where it is missing and stays, without waiting. Throws BusyError saying that
  /// `guarded` is in use, and by which process, where another holds the lock.
  FileLock(const std::filesystem::path& file, const std::filesystem::path& guarded);

  /// Throws IoError where the file was removed or replaced since: what it guards may be somebody else's by now.
  void check_in_place() const;

 private:
  std::filesystem::path guarded_;
  PosixFile file_;
};

/// A file of whole lines or records that only grows at its end; created where it is missing. For one writer.
class AppendFile {
 public:
  explicit AppendFile(const std::filesystem::path& file);

  /// Adds `line` and a newline; `line` holds none.
  void append_line(std::string_view line);
  /// Adds `bytes` with a single write(2), so that no reader sees two of them mixed. Where the disk is full, nothing of
  /// them stays.
  void append(std::string_view bytes);
  /// In bytes.
  std::uint64_t size() const { return file_.size(); }
  /// Cuts everything from byte `offset` on; a file that is shorter is refused.
  void truncate_to(std::uint64_t offset);
  /// Returns once all of it is on the disk.
  void sync() { file_.sync(); }

 private:
  PosixFile file_;
};

}  // namespace slopegan
