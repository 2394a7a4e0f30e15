#include "data/pack_file.h"

#include <charconv>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "support/errors.h"
#include "support/mapped_file.h"
#include "support/sha256.h"
#include "support/text.h"

namespace slopegan {

namespace {

using Json = nlohmann::json;

constexpr std::size_t digest_digits = 64, length_digits = 20, trailer_bytes = digest_digits + length_digits;

/// Only for open_pack, which makes a warning of it.
[[noreturn]] void damaged_pack(const std::string& what) { throw std::runtime_error(what); }

torch::Tensor mapped_tensor(std::shared_ptr<MappedFile> map, std::int64_t count, const PackOptions& options) {
  auto* first = const_cast<std::byte*>(map->bytes().data());
  return torch::from_blob(
      first, {count, options.channels, options.resolution, options.resolution}, [map = std::move(map)](void*) {},
      torch::kByte);
}

std::string_view footer_of(std::string_view bytes) {
  if (bytes.size() < trailer_bytes) damaged_pack("it is too short");
  const auto trailer = bytes.substr(bytes.size() - trailer_bytes);
  const auto digits = trailer.substr(digest_digits);
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || end != digits.data() + digits.size() || length > bytes.size() - trailer_bytes) {
    damaged_pack("its end is missing");
  }
  const auto footer = bytes.substr(bytes.size() - trailer_bytes - length, length);
  if (sha256_hex(std::as_bytes(std::span(footer))) != trailer.substr(0, digest_digits)) {
    damaged_pack("its description is not what was written");
  }
  return footer;
}

/// Nothing where it was packed from other files.
std::optional<PackedImages> read_pack(const std::filesystem::path& file, const FolderImages& folder,
                                      const PackOptions& options) {
  auto map = std::make_shared<MappedFile>(file);
  const auto bytes = map->bytes();
  const auto footer = footer_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const Json description = Json::parse(footer);
  if (description.at("fingerprint").get<std::string>() != folder.fingerprint) return std::nullopt;
  PackedImages packed;
  for (const auto& entry : description.at("unreadable")) {
    packed.unreadable.push_back({entry.at(0).get<std::size_t>(), entry.at(1).get<std::string>()});
  }
  const auto count = static_cast<std::int64_t>(folder.files.size() - packed.unreadable.size());
  const auto expected = count * options.channels * options.resolution * options.resolution;
  if (static_cast<std::int64_t>(bytes.size() - trailer_bytes - footer.size()) != expected) {
    damaged_pack("it holds another number of images than it says");
  }
  packed.images = mapped_tensor(std::move(map), count, options);
  packed.hash = hash_images(packed.images);
  if (packed.hash != description.at("sha256").get<std::string>()) damaged_pack("its images are not what was written");
  return packed;
}

}  // namespace

std::string pack_footer(const PackedImages& packed, const std::string& fingerprint) {
  Json description = {{"fingerprint", fingerprint}, {"sha256", packed.hash}, {"unreadable", Json::array()}};
  for (const auto& file : packed.unreadable) description["unreadable"].push_back({file.index, file.reason});
  const std::string text = description.dump();
  return text + sha256_hex(std::as_bytes(std::span(text))) + format_text("{:020}", text.size());
}

torch::Tensor map_images(const std::filesystem::path& file, std::int64_t count, const PackOptions& options) {
  auto map = std::make_shared<MappedFile>(file);
  const auto expected = count * options.channels * options.resolution * options.resolution;
  if (static_cast<std::int64_t>(map->bytes().size()) < expected) {
    throw IoError(printable(file.string()) + " was shortened while it was written");
  }
  return mapped_tensor(std::move(map), count, options);
}

std::optional<PackedImages> open_pack(const std::filesystem::path& file, const FolderImages& folder,
                                      const PackOptions& options, std::string& damage) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  try {
    return read_pack(file, folder, options);
  } catch (const Json::exception& error) {
    damage = printable(error.what());
  } catch (const std::runtime_error& error) {  // an IoError, or what read_pack has found
    damage = error.what();
  }
  return std::nullopt;
}

}  // namespace slopegan
