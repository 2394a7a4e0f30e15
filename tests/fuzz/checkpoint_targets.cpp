#include <fcntl.h>

#include "fuzz/memory_file.h"
#include "run/manifest.h"
#include "run/safetensors_header.h"
#include "support/errors.h"

namespace slopegan::fuzz {

namespace {

/// Returns the size of a tensor in bytes, computed independently of the reader.
std::uint64_t byte_count(const TensorEntry& entry) {
  std::uint64_t count = c10::elementSize(entry.dtype);
  for (const auto size : entry.shape) {
    promise(size >= 0, "sizes are not negative");
    count *= static_cast<std::uint64_t>(size);
  }
  return count;
}

void promise_tiling(const SafetensorsHeader& header, std::uint64_t file_size) {
  std::uint64_t end = 0;
  for (const auto& entry : header.tensors) {
    promise(is_tensor_name(entry.name), "names are printable");
    promise(entry.begin == end && entry.end - entry.begin == byte_count(entry), "tensors are contiguous");
    end = entry.end;
  }
  promise(end <= file_size, "tensors are within the file");
  const std::string text = safetensors_header_text(header);
  promise(safetensors_header_text(parse_safetensors_header(text, end)) == text, "headers survive round trips");
}

}  // namespace

void safetensors_file(Bytes bytes) {
  const MemoryFile memory(bytes);
  try {
    PosixFile file(memory.path(), O_RDONLY);
    promise_tiling(read_safetensors_header(file), bytes.size());
  } catch (const CheckpointError& error) {
    promise_message(error.what());
  }
}

void checkpoint_manifest(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  try {
    const Manifest manifest = parse_manifest(text, "manifest.json");
    promise(manifest.info.images >= 0, "the image count is not negative");
    for (const auto& [name, digest] : manifest.files) {
      promise(std::filesystem::path(name).filename() == name && name != "..", "files are in the checkpoint");
    }
    const Manifest again = parse_manifest(manifest_text(manifest), "printed");
    promise(again.info == manifest.info && again.files == manifest.files, "manifests survive round trips");
  } catch (const CheckpointError& error) {
    promise_message(error.what());
    promise(std::string(error.what()).starts_with("manifest.json: "), "the error names the file");
  }
}

}  // namespace slopegan::fuzz
