#include "support/posix_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

std::string display(const std::filesystem::path& path) { return printable(path.native(), 4096); }

void throw_io_error(const char* action, const std::filesystem::path& path, int error) {
  throw IoError(format_text("cannot {} {}: {}", action, display(path), std::generic_category().message(error)));
}

bool is_unsupported(int error) { return error == ENOSYS || error == EOPNOTSUPP || error == EINVAL; }

PosixFile::PosixFile(std::filesystem::path path, int flags, std::filesystem::path shown)
    : path_(std::move(path)),
      shown_(shown.empty() ? path_ : std::move(shown)),
      descriptor_(::open(path_.c_str(), flags | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) throw_io_error((flags & O_CREAT) != 0 ? "create" : "open", shown_);
}

PosixFile PosixFile::open_regular(std::filesystem::path path) {
  // Without O_NONBLOCK, opening a pipe blocks until it has a writer. Regular files ignore the flag.
  PosixFile file(std::move(path), O_RDONLY | O_NONBLOCK);
  struct stat status;
  if (::fstat(file.descriptor_, &status) != 0) throw_io_error("stat", file.path_);
  if (S_ISDIR(status.st_mode)) throw_io_error("read", file.path_, EISDIR);
  if (!S_ISREG(status.st_mode)) throw IoError("cannot read " + display(file.path_) + ": it is a pipe or a device");
  return file;
}

PosixFile::~PosixFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

PosixFile::PosixFile(PosixFile&& other) noexcept
    : path_(std::move(other.path_)),
      shown_(std::move(other.shown_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

std::uint64_t PosixFile::size() const {
  struct stat status;
  if (::fstat(descriptor_, &status) != 0) throw_io_error("stat", shown_);
  return static_cast<std::uint64_t>(status.st_size);
}

void PosixFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_io_error("write", shown_);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::size_t PosixFile::read(std::span<std::byte> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t count = ::read(descriptor_, buffer.data() + filled, buffer.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_io_error("read", shown_);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

void PosixFile::sync() {
  if (::fsync(descriptor_) != 0 && !is_unsupported(errno)) throw_io_error("sync", shown_);
}

/// Returns memory with the content of the file, for file systems that do not support memory maps.
static void* read_into_memory(PosixFile& file, std::size_t size) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw_io_error("map", file.path());
  try {
    if (file.read({static_cast<std::byte*>(memory), size}) != size) throw_io_error("read", file.path(), EIO);
  } catch (...) {
    ::munmap(memory, size);
    throw;
  }
  return memory;
}

MappedFile::MappedFile(const std::filesystem::path& file) {
  PosixFile opened = PosixFile::open_regular(file);
  const auto size = static_cast<std::size_t>(opened.size());
  if (size == 0) return;  // mmap rejects empty files
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, opened.descriptor(), 0);
  if (memory == MAP_FAILED && errno != ENODEV && !is_unsupported(errno)) throw_io_error("map", file);
  if (memory == MAP_FAILED) memory = read_into_memory(opened, size);
  bytes_ = {static_cast<const std::byte*>(memory), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace slopegan
