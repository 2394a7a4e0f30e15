#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/// A library that is preloaded into the real program (LD_PRELOAD) and simulates a file system that lacks features. The
/// environment variable SLOPEGAN_MISSING lists calls and the errno with which each of them fails, such as "flock=38
/// symlink=1"; SLOPEGAN_MISSING_BELOW is the directory where the file system is mounted. The supported calls are flock,
/// symlink, renameat2, fsync_directory, mmap and syncfs. For each call that fails, a line with its name is appended to
/// the file that SLOPEGAN_MISSING_RECORD names, so that a test can check that the program has made the call.
namespace {

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

/// Returns the errno with which `call` fails, or 0 if it does not fail.
int error_of(std::string_view call) {
  const char* list = std::getenv("SLOPEGAN_MISSING");
  if (list == nullptr) return 0;
  const std::string text = " " + std::string(list) + " ", key = " " + std::string(call) + "=";
  const auto found = text.find(key);
  return found == std::string::npos ? 0 : std::atoi(text.c_str() + found + key.size());
}

bool is_below(const char* path) {
  const char* below = std::getenv("SLOPEGAN_MISSING_BELOW");
  if (below == nullptr) return false;
  const std::size_t length = std::strlen(below);
  return std::strncmp(path, below, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

bool is_below(int descriptor) {
  char path[4096] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  return ::readlink(link.c_str(), path, sizeof path - 1) > 0 && is_below(path);
}

void record(const std::string& call) {
  const char* file = std::getenv("SLOPEGAN_MISSING_RECORD");
  if (file == nullptr) return;
  const int descriptor = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::string line = call + "\n";
  if (::write(descriptor, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  ::close(descriptor);
}

template <class Where>
bool fails(const char* call, Where where) {
  const int error = error_of(call);
  if (error == 0 || !is_below(where)) return false;
  record(call);
  errno = error;
  return true;
}

}  // namespace

extern "C" {

int flock(int descriptor, int operation) noexcept {
  if (fails("flock", descriptor)) return -1;
  return next<int (*)(int, int)>("flock")(descriptor, operation);
}

int symlink(const char* target, const char* link) noexcept {
  if (fails("symlink", link)) return -1;
  return next<int (*)(const char*, const char*)>("symlink")(target, link);
}

int renameat2(int from, const char* old_name, int to, const char* new_name, unsigned flags) noexcept {
  if (fails("renameat2", new_name)) return -1;
  return next<int (*)(int, const char*, int, const char*, unsigned)>("renameat2")(from, old_name, to, new_name, flags);
}

int fsync(int descriptor) {
  struct stat status;
  const bool is_directory = ::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
  if (is_directory && fails("fsync_directory", descriptor)) return -1;
  return next<int (*)(int)>("fsync")(descriptor);
}

int syncfs(int descriptor) noexcept {
  if (fails("syncfs", descriptor)) return -1;
  return next<int (*)(int)>("syncfs")(descriptor);
}

void* mmap(void* address, size_t size, int protection, int flags, int descriptor, off_t offset) noexcept {
  if (descriptor >= 0 && fails("mmap", descriptor)) return MAP_FAILED;
  return next<void* (*)(void*, size_t, int, int, int, off_t)>("mmap")(address, size, protection, flags, descriptor,
                                                                      offset);
}
}
