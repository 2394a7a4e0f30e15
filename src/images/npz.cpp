#include "images/npz.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <span>
#include <stdexcept>
#include <zip.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// What libzip draws the entry's bytes from while it closes the archive.
struct Feed {
  const std::function<torch::Tensor()>& next;
  std::string header;
  std::uint64_t size;  // of header and array
  std::uint64_t given = 0;
  torch::Tensor part{};
  std::uint64_t part_at = 0;
  std::exception_ptr failure{};
  zip_error_t error{};

  std::span<const char> pending() {
    if (given < header.size()) return std::span(header).subspan(given);
    if (!part.defined() || part_at == part.nbytes()) {
      part = next();
      part_at = 0;
      if (!part.is_contiguous() || part.scalar_type() != torch::kByte || part.nbytes() == 0) {
        throw std::logic_error("write_npz: contiguous bytes are expected");
      }
    }
    const auto* bytes = static_cast<const char*>(part.const_data_ptr());
    return std::span(bytes, part.nbytes()).subspan(part_at);
  }

  std::uint64_t read(char* out, std::uint64_t room) {
    room = std::min(room, size - given);
    std::uint64_t written = 0;
    while (written < room) {
      const auto bytes = pending();
      const std::uint64_t count = std::min<std::uint64_t>(bytes.size(), room - written);
      std::memcpy(out + written, bytes.data(), count);
      if (given >= header.size()) part_at += count;
      written += count;
      given += count;
    }
    return written;
  }
};

zip_int64_t fail(Feed& feed) {  // no exception may pass through libzip
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

zip_int64_t serve(void* user, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  auto& feed = *static_cast<Feed*>(user);
  switch (command) {
    case ZIP_SOURCE_OPEN:
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
      return 0;
    case ZIP_SOURCE_READ:
      try {
        return static_cast<zip_int64_t>(feed.read(static_cast<char*>(data), length));
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

std::string npy_header(const std::vector<std::int64_t>& shape) {
  std::string sides;
  for (const auto side : shape) sides += std::to_string(side) + ", ";
  std::string text = "{'descr': '|u1', 'fortran_order': False, 'shape': (" + sides + "), }";
  constexpr std::size_t before = 10, alignment = 64;  // magic, version and length; the data begin at a multiple
  text.append(alignment - 1 - (before + text.size()) % alignment, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

void write_npz(const std::filesystem::path& file, const std::string& name, const std::vector<std::int64_t>& shape,
               const std::function<torch::Tensor()>& next) {
  PendingFile pending(file);
  Feed feed{.next = next, .header = npy_header(shape), .size = 0};
  feed.size = feed.header.size() + element_count(shape);
  zip_error_t error;
  zip_error_init(&error);
  int code = 0;
  // libzip says only at the end that it cannot write there, after all images were made.
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
  constexpr zip_uint16_t first_day_of_1980 = 0x21;  // the earliest that zip knows
  if (zip_set_file_compression(archive.get(), entry, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive.get(), entry, 0, first_day_of_1980, 0) != 0) {
    throw_zip_error(file, zip_get_error(archive.get()));
  }
  if (zip_close(archive.get()) != 0) {
    if (feed.failure) std::rethrow_exception(feed.failure);
    throw_zip_error(file, zip_get_error(archive.get()));
  }
  archive.release();  // NOLINT(bugprone-unused-return-value): zip_close has freed it
  pending.commit();
}

}  // namespace slopegan
