#include "run/manifest.h"

#include <limits>
#include <string_view>

#include "config/fields.h"
#include "run/json.h"
#include "support/files.h"
#include "support/machine.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr auto format_name = "slopegan-checkpoint";
constexpr std::uint64_t format_version = 1;
/// Our manifests take about 2 KB. Parsing 2 MB of JSON takes up to 120 MiB of memory.
constexpr std::size_t largest_manifest = 2'000'000;

[[noreturn]] void refuse(const fs::path& path, const std::string& reason) {
  throw CheckpointError(display(path) + ": " + reason);
}

/// Rejects negative numbers, fractions and booleans, which nlohmann's conversion accepts.
std::uint64_t count_in(const fs::path& path, const json& value) {
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > largest)
    refuse(path, "a count must be a non-negative integer");
  return value.get<std::uint64_t>();
}

/// Rejects scalars and arrays, which nlohmann's items() accepts.
const json& object_in(const fs::path& path, const json& value) {
  if (!value.is_object()) refuse(path, "a list of files has the wrong type");
  return value;
}

json object_of(const fs::path& path, std::string_view text) {
  auto object = parse_json_object(text);
  if (!object) refuse(path, "not a valid JSON object");
  return std::move(*object);
}

/// Returns the text that follows `body` in a sealed manifest. Its size is constant.
std::string seal_of(std::string_view body) { return ",\n  \"manifest_sha256\": \"" + sha256_hex(body) + "\"\n}\n"; }

bool is_sealed(std::string_view text) {
  const std::size_t size = seal_of("").size();
  return text.size() > size && text.substr(text.size() - size) == seal_of(text.substr(0, text.size() - size));
}

void check_version(const fs::path& path, const json& manifest) {
  const auto version = count_in(path, manifest.at("format_version"));
  if (version <= format_version) return;
  throw NewerFormatError(
      format_text("{}: format version {}, written by slopegan {}; this slopegan reads versions up to {}", display(path),
                  version, printable(manifest.value("slopegan", std::string("(a newer version)"))), format_version));
}

std::map<std::string, FileDigest> read_files(const fs::path& path, const json& files) {
  std::map<std::string, FileDigest> digests;
  for (const auto& [name, digest] : files.items()) {
    // A manifest from an untrusted source must not name files outside its checkpoint.
    if (name.empty() || name == "." || name == ".." || name.find_first_of(std::string_view("/\0", 2)) != name.npos) {
      refuse(path, '"' + printable(name) + "\" is not a valid file name in a checkpoint");
    }
    digests[name] = {count_in(path, digest.at("size")), digest.at("sha256").get<std::string>()};
  }
  return digests;
}

Manifest from_json(const fs::path& path, const json& manifest) {
  check_version(path, manifest);
  Manifest result;
  result.info.images = static_cast<std::int64_t>(count_in(path, manifest.at("images")));
  if (result.info.images > rules::max_images) refuse(path, "the number of images is out of range");
  result.info.slopegan_version = manifest.at("slopegan").get<std::string>();
  result.info.config_yaml = manifest.at("config").get<std::string>();
  result.info.dataset_hash = manifest.at("dataset_sha256").get<std::string>();
  for (const auto& [name, offset] : object_in(path, manifest.at("file_offsets")).items()) {
    result.info.file_offsets[name] = count_in(path, offset);
  }
  result.info.data_path = manifest.value("data_path", std::string());
  if (const auto penalty = manifest.find("gradient_penalty"); penalty != manifest.end()) {
    if (!penalty->is_number()) refuse(path, "the gradient penalty is not a number");
    result.info.gradient_penalty = penalty->get<double>();
  }
  result.info.kernels = manifest.value("kernels", std::vector<std::string>());
  result.files = read_files(path, object_in(path, manifest.at("files")));
  if (manifest.at("config_sha256") != sha256_hex(result.info.config_yaml)) {
    refuse(path, "the configuration is damaged (wrong SHA-256)");
  }
  return result;
}

}  // namespace

std::string manifest_text(const Manifest& manifest) {
  const std::string config = valid_utf8(manifest.info.config_yaml);
  nlohmann::ordered_json files = nlohmann::ordered_json::object();
  for (const auto& [name, digest] : manifest.files) files[name] = {{"size", digest.size}, {"sha256", digest.sha256}};
  nlohmann::ordered_json manifest_json = {{"format", format_name},
                                          {"format_version", format_version},
                                          {"slopegan", manifest.info.slopegan_version},
                                          {"images", manifest.info.images},
                                          {"files", files},
                                          {"file_offsets", manifest.info.file_offsets},
                                          {"dataset_sha256", manifest.info.dataset_hash},
                                          {"config_sha256", sha256_hex(config)},
                                          {"config", config}};
  if (!manifest.info.data_path.empty()) manifest_json["data_path"] = manifest.info.data_path;
  if (manifest.info.gradient_penalty) manifest_json["gradient_penalty"] = *manifest.info.gradient_penalty;
  if (!manifest.info.kernels.empty()) manifest_json["kernels"] = manifest.info.kernels;
  return sealed(json_text(manifest_json, 2));
}

std::string sealed(std::string object) {
  object.resize(object.rfind('}'));
  object.resize(object.find_last_not_of('\n') + 1);
  return object + seal_of(object);
}

Manifest parse_manifest(std::string_view text, const fs::path& path) {
  const json manifest = object_of(path, text);
  try {
    if (manifest.at("format") != format_name) refuse(path, "this is not a manifest of a slopegan checkpoint");
    return from_json(path, manifest);
  } catch (const json::exception& error) {
    refuse(path, "a field is missing or has the wrong type (" + printable(error.what()) + ")");
  }
}

Manifest read_manifest(const fs::path& directory) {
  const fs::path path = directory / "manifest.json";
  try {
    const std::string text = read_file(path, largest_manifest);
    // Check the seal first: a single changed bit could make the manifest look like one from a newer version.
    if (object_of(path, text).value("format", json()) == format_name && !is_sealed(text)) {
      refuse(path, "the manifest is damaged (wrong SHA-256)");
    }
    return parse_manifest(text, path);
  } catch (const IoError& error) {
    throw CheckpointError(error.what());
  }
}

void verify_files(const fs::path& directory, const Manifest& manifest) {
  for (const auto& [name, digest] : manifest.files) {
    const fs::path path = directory / name;
    std::error_code error;
    const auto size = fs::file_size(path, error);
    if (error) refuse(path, "the file is in the manifest, but is missing or not a regular file");
    if (size != digest.size) {
      refuse(path, format_text("the file has {} bytes, but its size in the manifest is {}", size, digest.size));
    }
    // Hashing a huge sparse file would take hours, and a file that does not fit in memory cannot be loaded anyway.
    if (size > physical_memory_bytes()) refuse(path, "the file is larger than this machine's memory");
    try {
      if (sha256_file(path) != digest.sha256) refuse(path, "the file is damaged (wrong SHA-256)");
    } catch (const IoError& failure) {
      throw CheckpointError(failure.what());
    }
  }
}

}  // namespace slopegan
