#include "support/files.h"

#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <random>
#include <span>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

static std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

static void check(const std::error_code& error, const char* action, const fs::path& path) {
  if (error) throw_io_error(action, path, error.value());
}

std::string read_file(const fs::path& file, std::size_t limit) {
  PosixFile input = PosixFile::open_regular(file);
  std::string content;
  // Files in /proc report size 0, so the buffer grows while reading.
  for (std::size_t step = std::size_t{1} << 16;; step *= 2) {
    const std::size_t before = content.size();
    content.resize(before + std::min(step, limit - before) + 1);
    const std::size_t wanted = content.size() - before;
    const std::size_t count = input.read(std::as_writable_bytes(std::span(content).subspan(before)));
    content.resize(before + count);
    if (content.size() > limit) {
      throw IoError(format_text("cannot read {}: it is larger than {} bytes", display(file), limit));
    }
    if (count < wanted) return content;
  }
}

std::uint64_t file_size_or_zero(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : size;
}

/// Whether `file` is a pipe, a socket or a device, or a symlink to one. Renaming another file to `file` would destroy
/// it. Also true for /dev/stdout if standard output is a regular file, because /dev/stdout is a symlink into /proc.
static bool is_special(const fs::path& file) {
  std::error_code ignored;
  const auto status = fs::status(file, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status)) return true;
  return fs::read_symlink(file, ignored).native().starts_with("/proc/");
}

void require_free(const fs::path& file, bool overwrite) {
  std::error_code ignored;  // writing reports the error
  if (fs::is_directory(file, ignored)) throw UsageError(display(file) + " is a directory");
  if (is_special(file)) throw UsageError(display(file) + " is a pipe or a device; choose the name of a file");
  if (overwrite || !fs::exists(fs::symlink_status(file, ignored))) return;
  throw UsageError(display(file) + " already exists; choose another file or pass --overwrite");
}

/// A unique name in the directory of `file`. It contains a random number per process, because processes on different
/// machines that share a disk may have the same ID. Throws IoError if `file` must not be replaced.
static fs::path temporary_beside(const fs::path& file) {
  if (is_special(file)) {
    throw IoError("cannot write " + display(file) + ": it is a pipe or a device; choose the name of a file");
  }
  static std::atomic<unsigned> counter{0};
  static const unsigned machine = std::random_device()();
  for (;;) {
    fs::path candidate = file;
    candidate.replace_filename(
        format_text("{}{}-{}-{:08x}-{}", temporary_prefix, file.filename().string(), ::getpid(), machine, counter++));
    std::error_code ignored;  // opening reports the error
    if (!fs::exists(fs::symlink_status(candidate, ignored))) return candidate;
  }
}

void write_file_atomic(const fs::path& file, std::string_view content, Sync sync) {
  PosixFile output(temporary_beside(file), O_WRONLY | O_CREAT | O_EXCL, /*shown=*/file);
  try {
    output.write(bytes_of(content));
    if (sync == Sync::now) output.sync();
    rename_path(output.path(), file);
  } catch (...) {
    ::unlink(output.path().c_str());
    throw;
  }
  if (sync == Sync::now) sync_directory(file.parent_path());
}

void sync_file_system(const fs::path& directory) {
  const PosixFile opened(directory.empty() ? fs::path(".") : directory, O_RDONLY | O_DIRECTORY);
  if (::syncfs(opened.descriptor()) != 0 && !is_unsupported(errno)) throw_io_error("sync", opened.path());
}

PendingFile::PendingFile(fs::path file) : file_(std::move(file)), temporary_(temporary_beside(file_)) {}

PendingFile::~PendingFile() { ::unlink(temporary_.c_str()); }

void PendingFile::commit() {
  PosixFile(temporary_, O_RDONLY, /*shown=*/file_).sync();
  rename_path(temporary_, file_);
  sync_directory(file_.parent_path());
}

void sync_directory(const fs::path& directory) {
  const PosixFile opened(directory.empty() ? fs::path(".") : directory, O_RDONLY | O_DIRECTORY);
  // Some file systems cannot flush directories. Some of these report EBADF, because the descriptor is read-only.
  if (::fsync(opened.descriptor()) == 0 || is_unsupported(errno) || errno == EBADF) return;
  throw_io_error("sync", opened.path());
}

void make_directories(const fs::path& directory) {
  std::error_code error;
  if (fs::is_directory(directory, error)) return;
  const fs::path parent = directory.parent_path();
  if (!parent.empty() && parent != directory) make_directories(parent);
  const bool created = fs::create_directory(directory, error);
  if (error == std::errc::file_exists) error = std::make_error_code(std::errc::not_a_directory);
  check(error, "create the directory", directory);
  if (created) sync_directory(parent);
}

void make_parent_directories(const fs::path& file) {
  if (file.has_parent_path()) make_directories(file.parent_path());
}

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator iterator(directory, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) return entries;
  for (; !error && iterator != fs::directory_iterator(); iterator.increment(error)) entries.push_back(iterator->path());
  check(error, "list", directory);
  return entries;
}

std::string directory_name(const fs::path& directory) {
  return fs::absolute(directory / "x").lexically_normal().parent_path().filename();
}

bool is_within(const fs::path& inner, const fs::path& outer) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

void remove_temporaries(const fs::path& directory) {
  for (const fs::path& entry : entries_of(directory)) {
    if (entry.filename().native().starts_with(temporary_prefix)) remove_tree(entry);
  }
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  check(error, "remove", path);
}

void rename_path(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  check(error, "create", to);
}

AppendFile::AppendFile(const fs::path& file) : file_(file, O_WRONLY | O_CREAT | O_APPEND) {}

void AppendFile::append_line(std::string_view line) {
  if (line.find('\n') != std::string_view::npos) throw std::invalid_argument("AppendFile: the line contains a newline");
  append(std::string(line) + '\n');
}

void AppendFile::append(std::string_view bytes) {
  const std::uint64_t before = size();
  ssize_t count;
  do {
    count = ::write(file_.descriptor(), bytes.data(), bytes.size());
  } while (count < 0 && errno == EINTR);
  if (count == static_cast<ssize_t>(bytes.size())) return;
  const int error = count < 0 ? errno : ENOSPC;  // a partial write means a full disk
  [[maybe_unused]] const int cut = ::ftruncate(file_.descriptor(), static_cast<off_t>(before));
  throw_io_error("write", file_.path(), error);
}

void AppendFile::truncate_to(std::uint64_t offset) {
  if (offset > size()) {
    throw IoError(format_text("{} has {} bytes, expected at least {}", display(file_.path()), size(), offset));
  }
  if (::ftruncate(file_.descriptor(), static_cast<off_t>(offset)) != 0) throw_io_error("truncate", file_.path());
}

}  // namespace slopegan
