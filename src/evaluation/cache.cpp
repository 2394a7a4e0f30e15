#include "evaluation/cache.h"

#include <optional>
#include <span>
#include <unistd.h>

#include <ATen/ATen.h>

#include "support/cache_directory.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

/// Metadata key for the hash of the tensors. The hash detects damaged files, so that they do not lead to wrong
/// measurements.
constexpr auto hash_key = "slopegan.sha256";

std::optional<Safetensors> read_cached(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  try {
    Safetensors content = read_safetensors(file);
    const auto hash = content.metadata.find(hash_key);
    if (hash != content.metadata.end() && hash->second == tensor_hash(content.tensors)) return content;
    log::warning(printable(file.string()) + " is damaged and will be created again");
  } catch (const Error& error) {
    log::warning(std::string(error.what()) + "; it will be created again");
  }
  return std::nullopt;
}

void store(const fs::path& file, const Safetensors& content) {
  const fs::path temporary = file.string() + ".tmp-" + std::to_string(::getpid());
  auto metadata = content.metadata;
  metadata[hash_key] = tensor_hash(content.tensors);
  try {
    write_safetensors(temporary, content.tensors, metadata);
    follow_directory_mode(temporary);
    rename_path(temporary, file);
  } catch (const IoError& error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    log::warning(cache_error("cannot write to the cache", error).what());
  }
}

/// Returns std::nullopt if the cache is not writable.
std::optional<FileLock> lock_in_cache(const fs::path& file) {
  try {
    return wait_for_cache_lock(file);
  } catch (const IoError& error) {
    log::warning(cache_error("cannot use the cache", error).what());
    return std::nullopt;
  }
}

}  // namespace

std::string tensor_hash(const NamedTensors& tensors) {
  Sha256 hash;
  for (const auto& [name, tensor] : tensors) {
    std::string title = name + format_text(" {}", static_cast<int>(tensor.scalar_type()));
    for (const auto size : tensor.sizes()) title += format_text(" {}", size);
    title += '\n';
    hash.update(std::as_bytes(std::span(title)));
    const auto values = tensor.to(at::kCPU).contiguous();
    hash.update({static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
  }
  return hash.hex();
}

Safetensors cached_tensors(const std::string& name, const fs::path& source, const std::function<Safetensors()>& make) {
  const fs::path file = cache_dir() / name;
  note_cache_use(file, source);
  if (auto content = read_cached(file)) return std::move(*content);
  const auto lock = lock_in_cache(file);
  if (lock) {
    if (auto content = read_cached(file)) return std::move(*content);  // another process has created it in the meantime
  }
  Safetensors content = make();
  if (lock) store(file, content);
  return content;
}

}  // namespace slopegan
