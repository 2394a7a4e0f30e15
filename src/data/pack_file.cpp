#include "data/pack_file.h"

#include <fcntl.h>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <unistd.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "support/cache_directory.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

namespace {

using Json = nlohmann::json;

constexpr std::size_t digest_digits = 64, length_digits = 20, trailer_bytes = digest_digits + length_digits,
                      max_progress_bytes = std::size_t{256} << 20;

/// Throws an exception that open_pack catches.
[[noreturn]] void report_damage(const std::string& what) { throw std::runtime_error(what); }

std::int64_t image_bytes(const PackOptions& options) {
  return options.pixels.channels * options.pixels.resolution * options.pixels.resolution;
}

torch::Tensor mapped_tensor(std::shared_ptr<MappedFile> map, std::int64_t count, const PackOptions& options) {
  auto* first = const_cast<std::byte*>(map->bytes().data());
  return torch::from_blob(
      first, {count, options.pixels.channels, options.pixels.resolution, options.pixels.resolution},
      [map = std::move(map)](void*) {}, torch::kByte);
}

std::string_view footer_of(std::string_view bytes) {
  if (bytes.size() < trailer_bytes) report_damage("it is too short");
  const auto trailer = bytes.substr(bytes.size() - trailer_bytes);
  const auto length = parse_as<std::size_t>(trailer.substr(digest_digits));
  if (!length || *length > bytes.size() - trailer_bytes) report_damage("its end is missing");
  const auto footer = bytes.substr(bytes.size() - trailer_bytes - *length, *length);
  if (sha256_hex(footer) != trailer.substr(0, digest_digits)) {
    report_damage("the checksum of its description is wrong");
  }
  return footer;
}

Json unreadable_to_json(const std::vector<UnreadableFile>& unreadable) {
  Json json = Json::array();
  for (const auto& file : unreadable) json.push_back({file.index, file.reason, file.too_large, file.io_error});
  return json;
}

/// Packs from earlier versions do not contain UnreadableFile::io_error, and packs from version 0.9 do not contain
/// UnreadableFile::too_large either.
std::vector<UnreadableFile> unreadable_from_json(const Json& json) {
  std::vector<UnreadableFile> unreadable;
  for (const auto& entry : json) {
    const bool too_large = entry.size() > 2 && entry.at(2).get<bool>();
    const bool io_error = entry.size() > 3 && entry.at(3).get<bool>();
    unreadable.push_back({entry.at(0).get<std::size_t>(), entry.at(1).get<std::string>(), too_large, io_error});
  }
  return unreadable;
}

/// Packs from version 0.9 have no tally.
ImageTally tally_from_json(const Json& json) {
  return json.contains("tally") ? ImageTally::from_json(json.at("tally")) : ImageTally();
}

/// The fingerprint of the files that determine the scale of 16-bit images, or the fixed number of bits.
std::string range_fingerprint(const FolderImages& folder, const PackOptions& options) {
  if (options.fixed_bits > 0) return format_text("{} bits", options.fixed_bits);
  return options.range_of != nullptr ? options.range_of->fingerprint : folder.fingerprint;
}

/// Returns std::nullopt if the pack was made from different files. Throws if it is damaged.
std::optional<PackedImages> read_pack(const std::filesystem::path& file, const FolderImages& folder,
                                      const PackOptions& options) {
  auto map = std::make_shared<MappedFile>(file);
  const auto bytes = map->bytes();
  const auto footer = footer_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const Json description = Json::parse(footer);
  if (description.at("fingerprint").get<std::string>() != folder.fingerprint) return std::nullopt;
  if (description.contains("range") && description.at("range") != range_fingerprint(folder, options))
    return std::nullopt;
  PackedImages packed;
  packed.unreadable = unreadable_from_json(description.at("unreadable"));
  packed.tally = tally_from_json(description);
  packed.deep_bits = description.value("deep_bits", packed.deep_bits);
  const auto count = static_cast<std::int64_t>(folder.files.size() - packed.unreadable.size());
  const auto expected = count * image_bytes(options);
  if (static_cast<std::int64_t>(bytes.size() - trailer_bytes - footer.size()) != expected) {
    report_damage("its size does not match its description");
  }
  packed.images = mapped_tensor(std::move(map), count, options);
  packed.hash = hash_images(packed.images);
  if (packed.hash != description.at("sha256").get<std::string>()) report_damage("the checksum of its images is wrong");
  return packed;
}

/// Everything after the bytes of the images.
std::string pack_footer(const PackedImages& packed, const FolderImages& folder, const PackOptions& options) {
  Json description = {{"fingerprint", folder.fingerprint},
                      {"sha256", packed.hash},
                      {"unreadable", unreadable_to_json(packed.unreadable)},
                      {"tally", packed.tally.to_json()},
                      {"deep_bits", packed.deep_bits}};
  if (packed.tally.deep.images > 0) description["range"] = range_fingerprint(folder, options);
  const std::string text = description.dump();
  return text + sha256_hex(text) + format_text("{:020}", text.size());
}

/// Maps the images at the start of `file`: uint8 [count, channels, resolution, resolution].
torch::Tensor map_images(const std::filesystem::path& file, std::int64_t count, const PackOptions& options) {
  auto map = std::make_shared<MappedFile>(file);
  const auto expected = count * image_bytes(options);
  if (static_cast<std::int64_t>(map->bytes().size()) < expected) {
    throw IoError(printable(file.string()) + " was truncated while it was written");
  }
  return mapped_tensor(std::move(map), count, options);
}

std::filesystem::path with_suffix(std::filesystem::path stem, const char* suffix) { return stem += suffix; }

/// The content of the progress file; empty if it is missing or cannot be read, in which case packing starts over.
std::string progress_text(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return "";
  try {
    return read_file(file, max_progress_bytes);
  } catch (const IoError&) {
    return "";
  }
}

}  // namespace

std::optional<PackedImages> open_pack(const std::filesystem::path& file, const FolderImages& folder,
                                      const PackOptions& options, std::string& damage) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  try {
    return read_pack(file, folder, options);
  } catch (const Json::exception& error) {
    damage = printable(error.what());
  } catch (const std::runtime_error& error) {  // including IoError
    damage = error.what();
  }
  return std::nullopt;
}

PackWriter::PackWriter(std::filesystem::path stem, const FolderImages& folder, const PackOptions& options)
    : part_path_(with_suffix(stem, ".part")),
      progress_path_(with_suffix(stem, ".progress")),
      options_(options),
      files_(folder.files.size()),
      part_(part_path_, O_RDWR | O_CREAT) {
  follow_directory_mode(part_path_);
  resume(Json{{"fingerprint", folder.fingerprint}, {"files", files_}, {"deep_bits", options.pixels.deep_bits}}.dump(),
         folder);
}

/// The header contains only one of the pixel options, deep_bits, because the others determine the names of the .part
/// and .progress files.
void PackWriter::resume(const std::string& header, const FolderImages& folder) {
  std::istringstream lines(progress_text(progress_path_));
  std::string line, accepted = header + "\n";
  if (std::getline(lines, line) && line == header) {
    while (std::getline(lines, line) && accept_chunk(line, folder)) accepted += line + "\n";
  }
  write_file_atomic(progress_path_, accepted);
  follow_directory_mode(progress_path_);
  const off_t bytes = images_done_ * image_bytes(options_);
  if (::ftruncate(part_.descriptor(), bytes) != 0) throw_io_error("shorten", part_path_);
  if (::lseek(part_.descriptor(), bytes, SEEK_SET) < 0) throw_io_error("write", part_path_);
  progress_.emplace(progress_path_);
}

/// If the line describes the next chunk and this chunk is intact and complete, advances past it and returns true.
bool PackWriter::accept_chunk(std::string_view line, const FolderImages& folder) {
  const auto json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  try {
    PackedChunk chunk;
    chunk.files = json.at("files").get<std::size_t>();
    chunk.unreadable = unreadable_from_json(json.at("unreadable"));
    chunk.tally = tally_from_json(json);
    const auto images = json.at("images").get<std::size_t>();
    if (chunk.files == 0 || chunk.files > files_ - files_done_) return false;
    if (images + chunk.unreadable.size() != chunk.files) return false;
    if (any_became_readable(chunk.unreadable, folder)) return false;
    const auto bytes_per_image = static_cast<std::size_t>(image_bytes(options_));
    if (part_.size() < (static_cast<std::size_t>(images_done_) + images) * bytes_per_image) return false;
    std::vector<std::byte> bytes(images * bytes_per_image);
    if (part_.read(bytes) != bytes.size() || sha256_hex(bytes) != json.at("sha256").get<std::string>()) return false;
    count(chunk);
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

void PackWriter::count(const PackedChunk& chunk) {
  files_done_ += chunk.files;
  images_done_ += static_cast<std::int64_t>(chunk.files - chunk.unreadable.size());
  unreadable_.insert(unreadable_.end(), chunk.unreadable.begin(), chunk.unreadable.end());
  tally_.merge(chunk.tally);
}

void PackWriter::add_chunk(const PackedChunk& chunk) {
  Sha256 hash;
  for (const auto& image : chunk.images) {
    const std::span bytes(static_cast<const std::byte*>(image.const_data_ptr()), image.nbytes());
    hash.update(bytes);
    part_.write(bytes);
  }
  const Json line = {{"files", chunk.files},
                     {"images", chunk.images.size()},
                     {"sha256", hash.hex()},
                     {"unreadable", unreadable_to_json(chunk.unreadable)},
                     {"tally", chunk.tally.to_json()}};
  progress_->append_line(line.dump());
  count(chunk);
}

void PackWriter::finish(const std::filesystem::path& file, const FolderImages& folder) {
  PackedImages packed;
  packed.unreadable = unreadable_;
  packed.tally = tally_;
  packed.deep_bits = options_.pixels.deep_bits;
  packed.images = map_images(part_path_, images_done_, options_);
  packed.hash = hash_images(packed.images);
  const std::string footer = pack_footer(packed, folder, options_);
  part_.write(std::as_bytes(std::span(footer)));
  part_.sync();
  rename_path(part_path_, file);
  sync_directory(file.parent_path());
  std::error_code ignored;
  std::filesystem::remove(progress_path_, ignored);
}

}  // namespace slopegan
