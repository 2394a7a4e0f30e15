#include "data/packing.h"

#include <fcntl.h>
#include <iterator>
#include <sstream>
#include <unistd.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "data/pack_file.h"
#include "support/errors.h"
#include "support/sha256.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::size_t longest_progress = std::size_t{256} << 20;

std::size_t bytes_of_an_image(const PackOptions& options) {
  return static_cast<std::size_t>(options.channels * options.resolution * options.resolution);
}

std::filesystem::path with_ending(std::filesystem::path stem, const char* ending) { return stem += ending; }

/// Nothing where it cannot be read: then packing begins anew.
std::string progress_text(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return "";
  try {
    return read_file(file, longest_progress);
  } catch (const IoError&) {
    return "";
  }
}

}  // namespace

Packing::Packing(std::filesystem::path stem, const FolderImages& folder, const PackOptions& options)
    : part_path_(with_ending(stem, ".part")),
      progress_path_(with_ending(stem, ".progress")),
      options_(options),
      files_(folder.files.size()),
      part_(part_path_, O_RDWR | O_CREAT) {
  resume(nlohmann::json{{"fingerprint", folder.fingerprint}, {"files", files_}}.dump());
}

/// The options need no look: they are part of the stem.
void Packing::resume(const std::string& header) {
  std::istringstream lines(progress_text(progress_path_));
  std::string line, whole = header + "\n";
  if (std::getline(lines, line) && line == header) {
    while (std::getline(lines, line) && accept(line)) whole += line + "\n";
  }
  write_file_atomic(progress_path_, whole);
  const auto bytes = static_cast<off_t>(static_cast<std::size_t>(images_done_) * bytes_of_an_image(options_));
  if (::ftruncate(part_.descriptor(), bytes) != 0) throw_io_error("shorten", part_path_);
  if (::lseek(part_.descriptor(), bytes, SEEK_SET) < 0) throw_io_error("write", part_path_);
  progress_.emplace(progress_path_);
}

/// Whether the line describes the next chunk and the chunk is there, which is then read.
bool Packing::accept(std::string_view line) {
  const auto chunk = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  try {
    const auto files = chunk.at("files").get<std::size_t>(), images = chunk.at("images").get<std::size_t>();
    std::vector<UnreadableFile> unreadable;
    for (const auto& entry : chunk.at("unreadable")) {
      unreadable.push_back({entry.at(0).get<std::size_t>(), entry.at(1).get<std::string>()});
    }
    if (files == 0 || files > files_ - files_done_ || images + unreadable.size() != files) return false;
    if (part_.size() < (static_cast<std::size_t>(images_done_) + images) * bytes_of_an_image(options_)) return false;
    std::vector<std::byte> bytes(images * bytes_of_an_image(options_));
    if (part_.read(bytes) != bytes.size() || sha256_hex(bytes) != chunk.at("sha256").get<std::string>()) return false;
    files_done_ += files;
    images_done_ += static_cast<std::int64_t>(images);
    std::move(unreadable.begin(), unreadable.end(), std::back_inserter(unreadable_));
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

void Packing::add_chunk(std::size_t files, const std::vector<torch::Tensor>& images,
                        std::vector<UnreadableFile> unreadable) {
  Sha256 hash;
  for (const auto& image : images) {
    const std::span bytes(static_cast<const std::byte*>(image.const_data_ptr()), image.nbytes());
    hash.update(bytes);
    part_.write(bytes);
  }
  nlohmann::json chunk = {
      {"files", files}, {"images", images.size()}, {"sha256", hash.hex()}, {"unreadable", nlohmann::json::array()}};
  for (const auto& file : unreadable) chunk["unreadable"].push_back({file.index, file.reason});
  progress_->append_line(chunk.dump());
  files_done_ += files;
  images_done_ += std::ssize(images);
  std::move(unreadable.begin(), unreadable.end(), std::back_inserter(unreadable_));
}

void Packing::finish(const std::filesystem::path& file, const std::string& fingerprint) {
  PackedImages packed;
  packed.unreadable = unreadable_;
  packed.images = map_images(part_path_, images_done_, options_);
  packed.hash = hash_images(packed.images);
  const std::string footer = pack_footer(packed, fingerprint);
  part_.write(std::as_bytes(std::span(footer)));
  part_.sync();
  rename_path(part_path_, file);
  sync_directory(file.parent_path());
  std::error_code ignored;
  std::filesystem::remove(progress_path_, ignored);
}

}  // namespace slopegan
