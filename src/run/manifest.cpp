#include "run/manifest.h"

#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "config/fields.h"
#include "run/record_json.h"
#include "support/files.h"
#include "support/machine.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr auto format_name = "slopegan-checkpoint";
// The keys of the format and of the version of slopegan, which are also read on their own.
constexpr auto format_key = "format", program_key = "slopegan";
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

/// The format version of a manifest. Its reader refuses newer versions.
struct FormatVersion {
  std::uint64_t number = format_version;
};

/// What manifest.json contains, without its seal. The reader compares `format` and `config_sha256` with the expected
/// values. They are JSON values, so that a value of another type is only different.
struct ManifestFields {
  json format = format_name;
  FormatVersion version;
  Manifest manifest;
  json config_sha256 = nullptr;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({format_key}, self.format);
    visit({"format_version"}, self.version);
    visit({program_key}, self.manifest.info.slopegan_version);
    visit({"images"}, self.manifest.info.images);
    visit({"files"}, self.manifest.files);
    visit({"file_offsets"}, self.manifest.info.file_offsets);
    visit({"dataset_sha256"}, self.manifest.info.dataset_hash);
    visit({"config_sha256"}, self.config_sha256);
    visit({"config"}, self.manifest.info.config_yaml);
    visit({.key = "data_path", .may_be_absent = true}, self.manifest.info.data_path);
    visit({"gradient_penalty"}, self.manifest.info.gradient_penalty);
  }
};

template <class Digest, class Visit>
void visit_digest(Digest& digest, Visit&& visit) {
  visit({"size"}, digest.size);
  visit({"sha256"}, digest.sha256);
}

/// Writes fields. A text that may be absent is omitted if it is empty.
struct WriteManifest {
  nlohmann::ordered_json& object;

  void operator()(const Field& field, const std::string& text) const {
    if (!field.may_be_absent || !text.empty()) object[field.key] = text;
  }
  void operator()(const Field& field, const std::optional<double>& number) const {
    if (number) object[field.key] = *number;
  }
  void operator()(const Field& field, const FormatVersion& version) const { object[field.key] = version.number; }
  void operator()(const Field& field, const std::map<std::string, FileDigest>& files) const {
    auto& list = object[field.key] = nlohmann::ordered_json::object();
    for (const auto& [name, digest] : files) visit_digest(digest, WriteManifest{list[name]});
  }
  template <class T>
  void operator()(const Field& field, const T& value) const {
    object[field.key] = value;
  }
};

/// Reads fields. Throws CheckpointError or an nlohmann exception if a required key is missing or a value has the wrong
/// type.
struct ReadManifest {
  const fs::path& path;
  const json& object;

  void operator()(const Field& field, json& value) const { value = object.at(field.key); }
  void operator()(const Field& field, std::string& text) const {
    if (!field.may_be_absent || object.contains(field.key)) text = object.at(field.key).get<std::string>();
  }
  void operator()(const Field& field, std::uint64_t& count) const { count = count_in(path, object.at(field.key)); }
  void operator()(const Field& field, std::int64_t& count) const {
    count = static_cast<std::int64_t>(count_in(path, object.at(field.key)));
  }
  void operator()(const Field& field, std::optional<double>& number) const {
    const auto found = object.find(field.key);
    if (found == object.end()) return;
    if (!found->is_number()) refuse(path, "the gradient penalty is not a number");
    number = found->get<double>();
  }
  void operator()(const Field& field, FormatVersion& version) const {
    version.number = count_in(path, object.at(field.key));
    if (version.number <= format_version) return;
    throw NewerFormatError(format_text(
        "{}: format version {}, written by slopegan {}; this slopegan reads versions up to {}", display(path),
        version.number, printable(object.value(program_key, std::string("(a newer version)"))), format_version));
  }
  void operator()(const Field& field, std::map<std::string, std::uint64_t>& sizes) const {
    for (const auto& [name, size] : object_in(path, object.at(field.key)).items()) sizes[name] = count_in(path, size);
  }
  void operator()(const Field& field, std::map<std::string, FileDigest>& files) const {
    for (const auto& [name, digest] : object_in(path, object.at(field.key)).items()) {
      // A manifest from an untrusted source must not name files outside its checkpoint.
      if (name.empty() || name == "." || name == ".." || name.find_first_of(std::string_view("/\0", 2)) != name.npos) {
        refuse(path, '"' + printable(name) + "\" is not a valid file name in a checkpoint");
      }
      visit_digest(files[name], ReadManifest{path, digest});
    }
  }
};

Manifest from_json(const fs::path& path, const json& object) {
  ManifestFields fields;
  ManifestFields::visit_fields(fields, ReadManifest{path, object});
  const CheckpointInfo& info = fields.manifest.info;
  if (info.images > rules::max_images) refuse(path, "the number of images is out of range");
  if (fields.config_sha256 != sha256_hex(info.config_yaml)) {
    refuse(path, "the configuration is damaged (wrong SHA-256)");
  }
  return fields.manifest;
}

}  // namespace

std::string manifest_text(const Manifest& manifest) {
  ManifestFields fields;
  fields.manifest = manifest;
  auto& config = fields.manifest.info.config_yaml;
  config = valid_utf8(config);
  fields.config_sha256 = sha256_hex(config);
  auto object = nlohmann::ordered_json::object();
  ManifestFields::visit_fields(std::as_const(fields), WriteManifest{object});
  return sealed(json_text(object, 2));
}

std::string sealed(std::string object) {
  object.resize(object.rfind('}'));
  object.resize(object.find_last_not_of('\n') + 1);
  return object + seal_of(object);
}

Manifest parse_manifest(std::string_view text, const fs::path& path) {
  const json manifest = object_of(path, text);
  try {
    if (manifest.at(format_key) != format_name) refuse(path, "this is not a manifest of a slopegan checkpoint");
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
    if (object_of(path, text).value(format_key, json()) == format_name && !is_sealed(text)) {
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
