#include "data/npz_file.h"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <zip.h>

#include "data/file_checks.h"
#include "data/npy_header.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::string_view npy_ending = ".npy";

struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

/// An array of the archive, read from front to back.
class NpzEntry {
 public:
  NpzEntry(zip_t* archive, const std::filesystem::path& file, const std::string& array)
      : file_(file), shown_(printable(file.string()) + ", " + printable(array)) {
    const std::string name = array + std::string(npy_ending);
    zip_stat_t status;
    if (zip_stat(archive, name.c_str(), 0, &status) != 0) refuse(": " + reason(zip_get_error(archive)));
    constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_INDEX;
    if ((status.valid & needed) != needed) refuse(" has no size");
    size_ = status.size;
    entry_.reset(zip_fopen_index(archive, status.index, 0));
    if (entry_ == nullptr) refuse(" cannot be read: " + reason(zip_get_error(archive)));
  }

  /// As its place in the archive claims, in bytes.
  std::uint64_t size() const { return size_; }
  const std::filesystem::path& file() const { return file_; }

  /// Fewer bytes than asked for only at the end, where the archive's checksum is compared as well.
  std::size_t read(std::span<std::byte> into) {
    std::size_t filled = 0;
    while (filled < into.size()) {
      const auto got = zip_fread(entry_.get(), into.data() + filled, into.size() - filled);
      if (got < 0) refuse(" is damaged: " + reason(zip_file_get_error(entry_.get())));
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

  [[noreturn]] void refuse(const std::string& text) const { throw DataError(shown_ + text); }

 private:
  static std::string reason(zip_error_t* error) { return printable(zip_error_strerror(error)); }

  std::filesystem::path file_;
  std::string shown_;
  std::uint64_t size_ = 0;
  std::unique_ptr<zip_file_t, CloseEntry> entry_;
};

/// "|u1", "<i8": the part of NumPy's types that labels and images come in.
void set_type(NpyArray& array, const std::string& type, const NpzEntry& entry) {
  const auto known = [&](std::string_view order) {
    return type.size() == 3 && order.find(type[0]) != std::string_view::npos && (type[1] == 'u' || type[1] == 'i');
  };
  if (!(known("|<>=") && type[2] == '1') && !(known("<") && (type[2] == '2' || type[2] == '4' || type[2] == '8'))) {
    entry.refuse(" holds values of type '" + printable(type) + "', where whole numbers are expected");
  }
  array.is_signed = type[1] == 'i';
  array.item_size = static_cast<std::size_t>(type[2] - '0');
}

/// In bytes.
std::uint64_t checked_size(NpyArray& array, const NpzEntry& entry) {
  std::uint64_t count = 1;
  for (const auto size : array.shape) {
    if (size == 0) entry.refuse(" has the shape " + shape_text(array.shape) + ", which holds nothing");
    if (static_cast<std::uint64_t>(size) > max_data_bytes / array.item_size / count) {
      entry.refuse(" has the shape " + shape_text(array.shape) + ": more than 8 GiB are not supported");
    }
    count *= static_cast<std::uint64_t>(size);
  }
  array.count = static_cast<std::size_t>(count);
  return count * array.item_size;
}

NpyHeader read_header(NpzEntry& entry, std::string& start) {
  start.resize(longest_npy_header);
  start.resize(entry.read(std::as_writable_bytes(std::span(start))));
  try {
    return parse_npy_header(start);
  } catch (const std::invalid_argument& error) {
    entry.refuse(std::string(" ") + error.what());
  }
}

}  // namespace

void NpzFile::Close::operator()(zip* archive) const { zip_discard(archive); }

NpzFile::NpzFile(std::filesystem::path path) : path_(std::move(path)) {
  require_regular_file(path_);
  int code = 0;
  archive_.reset(zip_open(path_.c_str(), ZIP_RDONLY, &code));
  if (archive_ == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = printable(zip_error_strerror(&error));
    zip_error_fini(&error);
    throw DataError(printable(path_.string()) + " cannot be read as an npz file: " + reason);
  }
  std::error_code ignored;  // it has gone since: reading says what is left of it
  file_size_ = std::filesystem::file_size(path_, ignored);
  if (ignored) file_size_ = 0;
}

bool NpzFile::has(const std::string& array) const {
  return zip_name_locate(archive_.get(), (array + std::string(npy_ending)).c_str(), 0) >= 0;
}

std::vector<std::string> NpzFile::arrays() const {
  std::vector<std::string> names;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive_.get(), 0); ++i) {
    const char* name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
    const std::string text = name == nullptr ? "" : name;
    if (text.ends_with(npy_ending)) names.push_back(text.substr(0, text.size() - npy_ending.size()));
  }
  return names;
}

NpyArray NpzFile::read(const std::string& array) const {
  NpzEntry entry(archive_.get(), path_, array);
  check_believable(path_, entry.size(), file_size_);
  std::string start;
  const NpyHeader header = read_header(entry, start);
  NpyArray result;
  result.shape = header.shape;
  set_type(result, header.type, entry);
  const std::uint64_t bytes = checked_size(result, entry);
  if (header.values_at + bytes != entry.size()) {
    entry.refuse(format_text(" has the shape {}, which takes {} bytes; there are {}", shape_text(result.shape), bytes,
                             entry.size() - std::min(entry.size(), header.values_at)));
  }
  std::string_view begun = std::string_view(start).substr(header.values_at);
  const auto read_on = [&](std::span<std::byte> into) {
    const std::size_t early = std::min(begun.size(), into.size());
    std::copy_n(std::as_bytes(std::span(begun)).begin(), early, into.begin());
    begun.remove_prefix(early);
    return early + entry.read(into.subspan(early));
  };
  auto filled = read_as_it_comes(static_cast<std::size_t>(bytes), path_, read_on);
  std::byte more{};  // asking for one more byte is also what makes libzip compare the checksum
  if (filled.size != bytes || read_on({&more, 1}) != 0) entry.refuse(" is shorter or longer than its header says");
  result.values = std::move(filled.memory);
  return result;
}

}  // namespace slopegan
