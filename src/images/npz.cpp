#include "images/npz.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <optional>
#include <stdexcept>
#include <utility>
#include <zip.h>

#include "images/npy.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::string_view npy_ending = ".npy";

struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

/// Reads one array of the archive sequentially.
class NpzEntry {
 public:
  NpzEntry(zip_t* archive, const std::filesystem::path& file, const std::string& array)
      : file_(file), shown_(printable(file.string()) + ", " + printable(array)) {
    const std::string name = array + std::string(npy_ending);
    zip_stat_t status;
    if (zip_stat(archive, name.c_str(), 0, &status) != 0) refuse(": " + reason(zip_get_error(archive)));
    constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_INDEX;
    if ((status.valid & needed) != needed) refuse(" has no declared size in the archive");
    size_ = status.size;
    entry_.reset(zip_fopen_index(archive, status.index, 0));
    if (entry_ == nullptr) refuse(" cannot be read: " + reason(zip_get_error(archive)));
  }

  /// The uncompressed size that the archive declares, in bytes.
  std::uint64_t size() const { return size_; }
  const std::filesystem::path& file() const { return file_; }

  /// Returns fewer bytes than requested only at the end, where libzip also verifies the checksum.
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

std::optional<NpyKind> kind_of(char letter) {
  switch (letter) {
    case 'b':
      return NpyKind::boolean;
    case 'u':
      return NpyKind::unsigned_integer;
    case 'i':
      return NpyKind::signed_integer;
    case 'f':
      return NpyKind::real;
    case 'S':
      return NpyKind::bytes;
    case 'U':
      return NpyKind::unicode;
    default:
      return std::nullopt;
  }
}

bool is_allowed(NpyKind kind, std::size_t size) {
  switch (kind) {
    case NpyKind::boolean:
      return size == 1;
    case NpyKind::unsigned_integer:
    case NpyKind::signed_integer:
      return size == 1 || size == 2 || size == 4 || size == 8;
    case NpyKind::real:
      return size == 2 || size == 4 || size == 8;
    case NpyKind::bytes:
    case NpyKind::unicode:
      return size >= 1 && size <= 1024;
  }
  return false;
}

/// Parses types such as "|u1", ">i8" and "<U12". Returns the size of the units whose bytes must be reversed, or 1 if
/// there are none.
std::size_t set_type(NpyArray& array, const std::string& type, const NpzEntry& entry) {
  if (type.size() > 1 && type[1] == 'O') {
    entry.refuse(" contains Python objects, which are not supported; save numbers or text of fixed length");
  }
  const auto kind = type.size() > 2 ? kind_of(type[1]) : std::nullopt;
  std::size_t size = 0;
  const char* end = type.data() + type.size();
  const bool is_number = type.size() > 2 && std::from_chars(type.data() + 2, end, size).ptr == end;
  if (is_number && kind == NpyKind::unicode && size <= 256) size *= 4;
  const bool has_order = type.size() > 2 && std::string_view("|<>=").find(type[0]) != std::string_view::npos;
  if (!kind || !is_number || !has_order || !is_allowed(*kind, size)) {
    entry.refuse(" contains values of type '" + printable(type) + "', but numbers or text are expected");
  }
  array.kind = *kind;
  array.item_size = size;
  if (type[0] != '>' || *kind == NpyKind::bytes) return 1;
  return *kind == NpyKind::unicode ? 4 : size;
}

/// Reverses the bytes of each unit.
void swap_bytes(ByteBuffer& values, std::size_t unit) {
  if (unit == 1) return;
  std::byte* bytes = values.memory.get();
  for (std::size_t at = 0; at + unit <= values.size; at += unit) std::reverse(bytes + at, bytes + at + unit);
}

/// Returns the size of the values in bytes.
std::uint64_t checked_size(NpyArray& array, const NpzEntry& entry) {
  std::uint64_t count = 1;
  for (const auto size : array.shape) {
    if (size == 0) entry.refuse(" has the shape " + shape_text(array.shape) + ", so it is empty");
    if (static_cast<std::uint64_t>(size) > max_data_bytes / array.item_size / count) {
      entry.refuse(" has the shape " + shape_text(array.shape) + ", which exceeds the limit of 8 GiB");
    }
    count *= static_cast<std::uint64_t>(size);
  }
  array.count = static_cast<std::size_t>(count);
  return count * array.item_size;
}

NpyHeader read_header(NpzEntry& entry, std::string& start) {
  start.resize(max_npy_header_bytes);
  start.resize(entry.read(std::as_writable_bytes(std::span(start))));
  try {
    return parse_npy_header(start);
  } catch (const std::invalid_argument& error) {
    entry.refuse(std::string(" ") + error.what());
  }
}

/// Supplies the bytes of an entry to libzip, which reads them when the archive is closed.
struct Feed {
  const std::function<std::span<const std::byte>()>& next;
  std::string header;
  std::uint64_t size;  // of the header and the array, in bytes
  std::uint64_t position = 0;
  std::span<const std::byte> part{};  // the rest of the last part from next()
  std::exception_ptr failure{};
  zip_error_t error{};

  std::span<const std::byte> pending() {
    if (position < header.size()) return std::as_bytes(std::span(header)).subspan(position);
    if (part.empty()) part = next();
    if (part.empty()) throw std::logic_error("write_npz: `next` returned fewer bytes than the shape requires");
    return part;
  }

  std::uint64_t read(std::byte* out, std::uint64_t room) {
    room = std::min(room, size - position);
    std::uint64_t written = 0;
    while (written < room) {
      const auto bytes = pending();
      const std::uint64_t count = std::min<std::uint64_t>(bytes.size(), room - written);
      std::memcpy(out + written, bytes.data(), count);
      if (position >= header.size()) part = part.subspan(count);
      written += count;
      position += count;
    }
    return written;
  }
};

/// Stores the exception, because it must not pass through libzip.
zip_int64_t fail(Feed& feed) {
  feed.failure = std::current_exception();
  zip_error_set(&feed.error, ZIP_ER_INTERNAL, 0);
  return -1;
}

zip_int64_t describe(const Feed& feed, void* data, zip_uint64_t length) {
  if (length < sizeof(zip_stat_t)) return -1;
  zip_stat_t stat;
  zip_stat_init(&stat);
  stat.size = feed.size;
  stat.valid = ZIP_STAT_SIZE;
  std::memcpy(data, &stat, sizeof(stat));
  return sizeof(stat);
}

/// The callback of the zip source.
zip_int64_t serve(void* user, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  auto& feed = *static_cast<Feed*>(user);
  switch (command) {
    case ZIP_SOURCE_OPEN:
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
      return 0;
    case ZIP_SOURCE_READ:
      try {
        return static_cast<zip_int64_t>(feed.read(static_cast<std::byte*>(data), length));
      } catch (...) {
        return fail(feed);
      }
    case ZIP_SOURCE_STAT:
      return describe(feed, data, length);
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&feed.error, data, length);
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                            ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
    default:
      zip_error_set(&feed.error, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

[[noreturn]] void throw_zip_error(const std::filesystem::path& file, zip_error_t* error) {
  const std::string reason = printable(zip_error_strerror(error));
  const int system = zip_error_system_type(error) == ZIP_ET_SYS ? zip_error_code_system(error) : 0;
  zip_error_fini(error);
  if (system != 0) throw_io_error("write", file, system);
  throw IoError("cannot write " + display(file) + ": " + reason);
}

std::uint64_t element_count(const std::vector<std::int64_t>& shape) {
  std::uint64_t count = 1;
  for (const auto side : shape) count *= static_cast<std::uint64_t>(side);
  return count;
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
  file_size_ = file_size_or_zero(path_);
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
  check_uncompressed_size(path_, entry.size(), file_size_);
  std::string start;
  const NpyHeader header = read_header(entry, start);
  NpyArray result;
  result.shape = header.shape;
  result.fortran_order = header.fortran_order;
  const std::size_t swapped_unit = set_type(result, header.type, entry);
  const std::uint64_t bytes = checked_size(result, entry);
  if (header.size + bytes != entry.size()) {
    entry.refuse(format_text(" has the shape {}, which takes {} bytes, but contains {}", shape_text(result.shape),
                             bytes, entry.size() - std::min(entry.size(), header.size)));
  }
  std::string_view buffered = std::string_view(start).substr(header.size);  // read together with the header
  const auto read_values = [&](std::span<std::byte> into) {
    const std::size_t count = std::min(buffered.size(), into.size());
    std::copy_n(std::as_bytes(std::span(buffered)).begin(), count, into.begin());
    buffered.remove_prefix(count);
    return count + entry.read(into.subspan(count));
  };
  result.values = read_buffer(static_cast<std::size_t>(bytes), path_, read_values);
  std::byte extra{};  // reading past the end makes libzip verify the checksum
  if (result.values.size != bytes || read_values({&extra, 1}) != 0) {
    entry.refuse(" is shorter or longer than its header declares");
  }
  swap_bytes(result.values, swapped_unit);
  return result;
}

void write_npz(const std::filesystem::path& file, const std::string& name, const std::vector<std::int64_t>& shape,
               const std::function<std::span<const std::byte>()>& next) {
  PendingFile pending(file);
  Feed feed{.next = next, .header = npy_header(shape), .size = 0};
  feed.size = feed.header.size() + element_count(shape);
  zip_error_t error;
  zip_error_init(&error);
  int code = 0;
  // Creates the file now, so that an unwritable directory is reported before `next` is called.
  PosixFile(pending.temporary(), O_WRONLY | O_CREAT | O_EXCL, /*shown=*/file);
  std::unique_ptr<zip_t, void (*)(zip_t*)> archive(
      zip_open(pending.temporary().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code), zip_discard);
  if (archive == nullptr) {
    zip_error_init_with_code(&error, code);
    throw_zip_error(file, &error);
  }
  zip_source_t* source = zip_source_function_create(serve, &feed, &error);
  if (source == nullptr) throw_zip_error(file, &error);
  const auto index = zip_file_add(archive.get(), (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    throw_zip_error(file, zip_get_error(archive.get()));
  }
  const auto entry = static_cast<zip_uint64_t>(index);
  constexpr zip_uint16_t first_day_of_1980 = 0x21;  // the earliest date in zip files
  if (zip_set_file_compression(archive.get(), entry, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive.get(), entry, 0, first_day_of_1980, 0) != 0) {
    throw_zip_error(file, zip_get_error(archive.get()));
  }
  if (zip_close(archive.get()) != 0) {
    if (feed.failure) std::rethrow_exception(feed.failure);
    throw_zip_error(file, zip_get_error(archive.get()));
  }
  archive.release();  // NOLINT(bugprone-unused-return-value): zip_close freed it
  pending.commit();
}

}  // namespace slopegan
