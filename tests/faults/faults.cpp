#include "faults/faults.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace slopegan::testing {

namespace {

struct Armed {
  std::string below, from, record;
  long fail = 0, kill = 0;
  int error = 0;
  bool stays = false;
};

std::atomic<bool> armed = false;
std::mutex mutex;  // guards the variables below
Armed plan;
long counted = 0;
bool has_started = false;

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

#define NEXT(name) static const auto real = next<decltype(&::name)>(#name)

std::string path_of_descriptor(int descriptor) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string();
}

std::string absolute(int directory, const char* path) {
  if (path[0] == '/') return path;
  if (directory != AT_FDCWD) return path_of_descriptor(directory) + '/' + path;
  char current[4096];
  return std::string(::getcwd(current, sizeof current) == nullptr ? "" : current) + '/' + path;
}

bool is_below(const std::string& path) {
  return !plan.below.empty() && path.size() > plan.below.size() && path.starts_with(plan.below) &&
         path[plan.below.size()] == '/';
}

/// Counts a call, decides whether it fails, and records it if it succeeds. The object is constructed before the call.
class Call {
 public:
  Call(const char* kind, std::string path, std::string other = "") : kind_(kind) {
    if (!armed) return;
    const std::lock_guard lock(mutex);
    if (!is_below(path)) return;
    if (!has_started && path.find(plan.from) == std::string::npos) return;
    has_started = true;
    path_ = std::move(path);
    other_ = std::move(other);
    ++counted;
    if (counted == plan.kill) ::kill(::getpid(), SIGKILL);
    const bool removes = std::string_view(kind) == "unlink";
    failed_ = counted == plan.fail || (plan.stays && plan.fail > 0 && counted > plan.fail && !removes);
    if (failed_) error_ = plan.error;
  }

  bool fails() const {
    if (failed_) errno = error_;
    return failed_;
  }

  /// Records a successful call with the bytes that it wrote at `offset`. Returns `result` and preserves errno.
  template <class Result>
  Result finish(Result result, std::string_view data = "", long offset = 0) {
    const int error = errno;
    if (!path_.empty() && result >= 0) {
      const std::lock_guard lock(mutex);
      if (!plan.record.empty()) append(data, offset);
    }
    errno = error;
    return result;
  }

 private:
  void append(std::string_view data, long offset) const {
    static const auto real_open = next<decltype(&::open)>("open");
    static const auto real_write = next<decltype(&::write)>("write");
    std::string text = std::string(kind_) + '\t' + std::to_string(data.size()) + '\t' + std::to_string(offset) + '\t' +
                       path_ + '\t' + other_ + '\n';
    text += data;
    const int file = real_open(plan.record.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (real_write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ::abort();
    ::close(file);
  }

  const char* kind_;
  std::string path_, other_;
  bool failed_ = false;
  int error_ = 0;
};

Armed copy_of(const FaultPlan& given) {
  return {given.below, given.from, given.record, given.fail, given.kill, given.error, given.stays};
}

/// Returns the value of `key` in `text`, the content of SLOPEGAN_FAULTS, or an empty string if the key is missing.
std::string value_of(const std::string& text, const std::string& key) {
  const auto begin = (';' + text).find(';' + key + '=');
  if (begin == std::string::npos) return "";
  const auto value = begin + key.size() + 1;
  return text.substr(value, text.find(';', value) - value);
}

bool arm_from_environment() {
  const char* text = std::getenv(faults_variable);
  if (text == nullptr) return false;
  const auto value = [&](const char* key) { return value_of(text, key); };
  const auto number = [&](const char* key) { return std::atol(value(key).c_str()); };
  plan = {value("below"),      value("from"),  value("record"),
          number("fail"),      number("kill"), static_cast<int>(number("error")),
          number("stays") != 0};
  armed = true;
  return true;
}

[[maybe_unused]] const bool is_from_environment = arm_from_environment();

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

/// A call that opens a file is counted only if it creates or truncates the file.
template <class Open>
int open_counted(std::string path, int flags, Open&& open) {
  if ((flags & (O_CREAT | O_TRUNC)) == 0) return open();
  const bool is_new = ::access(path.c_str(), F_OK) != 0;
  if (!is_new && (flags & O_TRUNC) == 0) return open();
  Call call(is_new ? "create" : "truncate", std::move(path));
  return call.fails() ? -1 : call.finish(open());
}

template <class Sync>
int sync_counted(int descriptor, Sync&& sync) {
  Call call("sync", path_of_descriptor(descriptor));
  return call.fails() ? -1 : call.finish(sync());
}

}  // namespace

void arm_faults(const FaultPlan& given) {
  const std::lock_guard lock(mutex);
  plan = copy_of(given);
  counted = 0;
  has_started = false;
  armed = true;
}

}  // namespace slopegan::testing

using namespace slopegan::testing;

extern "C" {

ssize_t write(int descriptor, const void* data, size_t size) {
  NEXT(write);
  if (!armed) return real(descriptor, data, size);
  Call call("write", path_of_descriptor(descriptor));
  if (call.fails()) return -1;
  const ssize_t count = real(descriptor, data, size);
  const long end = static_cast<long>(::lseek(descriptor, 0, SEEK_CUR));
  const auto written = static_cast<std::size_t>(count > 0 ? count : 0);
  return call.finish(count, {static_cast<const char*>(data), written}, end - static_cast<long>(written));
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  NEXT(pwrite);
  if (!armed) return real(descriptor, data, size, offset);
  Call call("write", path_of_descriptor(descriptor));
  if (call.fails()) return -1;
  const ssize_t count = real(descriptor, data, size, offset);
  const auto written = static_cast<std::size_t>(count > 0 ? count : 0);
  return call.finish(count, {static_cast<const char*>(data), written}, static_cast<long>(offset));
}

int fsync(int descriptor) {
  NEXT(fsync);
  return sync_counted(descriptor, [&] { return real(descriptor); });
}

int fdatasync(int descriptor) {
  NEXT(fdatasync);
  return sync_counted(descriptor, [&] { return real(descriptor); });
}

int rename(const char* from, const char* to) {
  NEXT(rename);
  Call call("rename", absolute(AT_FDCWD, from), absolute(AT_FDCWD, to));
  return call.fails() ? -1 : call.finish(real(from, to));
}

int renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) {
  NEXT(renameat2);
  Call call((flags & RENAME_EXCHANGE) != 0 ? "exchange" : "rename", absolute(from_directory, from),
            absolute(to_directory, to));
  return call.fails() ? -1 : call.finish(real(from_directory, from, to_directory, to, flags));
}

int symlink(const char* target, const char* path) {
  NEXT(symlink);
  Call call("link", absolute(AT_FDCWD, path), target);
  return call.fails() ? -1 : call.finish(real(target, path));
}

int unlink(const char* path) {
  NEXT(unlink);
  Call call("unlink", absolute(AT_FDCWD, path));
  return call.fails() ? -1 : call.finish(real(path));
}

int unlinkat(int directory, const char* path, int flags) {
  NEXT(unlinkat);
  Call call("unlink", absolute(directory, path));
  return call.fails() ? -1 : call.finish(real(directory, path, flags));
}

int remove(const char* path) {
  NEXT(remove);
  Call call("unlink", absolute(AT_FDCWD, path));
  return call.fails() ? -1 : call.finish(real(path));
}

int mkdir(const char* path, mode_t mode) {
  NEXT(mkdir);
  Call call("mkdir", absolute(AT_FDCWD, path));
  return call.fails() ? -1 : call.finish(real(path, mode));
}

int ftruncate(int descriptor, off_t size) {
  NEXT(ftruncate);
  Call call("resize", path_of_descriptor(descriptor));
  return call.fails() ? -1 : call.finish(real(descriptor, size), "", static_cast<long>(size));
}

int open(const char* path, int flags, ...) {
  static const auto real = next<decltype(&::open)>("open");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  if (!armed) return real(path, flags, mode);
  return open_counted(absolute(AT_FDCWD, path), flags, [&] { return real(path, flags, mode); });
}

}  // extern "C"
