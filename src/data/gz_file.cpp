#include "data/gz_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <zlib.h>

#include "support/data_file.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::string shown(const std::filesystem::path& path) { return printable(path.string()); }

}  // namespace

GzFile::GzFile(std::filesystem::path path) : path_(std::move(path)), file_(nullptr) {
  require_regular_file(path_);
  errno = 0;
  file_ = gzopen(path_.c_str(), "rb");
  if (file_ == nullptr) throw DataError(shown(path_) + " cannot be opened: " + std::strerror(errno));
  gzbuffer(file_, 1 << 18);
  file_size_ = file_size_or_zero(path_);
}

GzFile::~GzFile() {
  if (file_ != nullptr) gzclose_r(file_);
}

std::size_t GzFile::read(std::span<std::byte> into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const auto wanted = static_cast<unsigned>(std::min<std::size_t>(into.size() - filled, 1 << 20));
    errno = 0;
    const int got = gzread(file_, into.data() + filled, wanted);
    if (got < 0) fail();
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  int code = Z_OK;
  if (filled < into.size()) gzerror(file_, &code);
  if (code != Z_OK) fail();
  return filled;
}

void GzFile::fail() const {
  const int system_error = errno;
  int code = Z_OK;
  const char* reason = gzerror(file_, &code);
  if (code == Z_BUF_ERROR) throw DataError(shown(path_) + " is truncated: its gzip stream ends early");
  if (code == Z_ERRNO) throw DataError(shown(path_) + " cannot be read: " + std::strerror(system_error));
  // Removes the path from the start of zlib's message, because the path may not be printable.
  const std::string text = reason;
  const auto colon = text.rfind(": ");
  const std::string detail = colon == std::string::npos ? text : text.substr(colon + 2);
  throw DataError(shown(path_) + " is damaged: its gzip stream is invalid (" + printable(detail) + ")");
}

}  // namespace slopegan
