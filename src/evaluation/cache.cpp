#include "evaluation/cache.h"

#include <chrono>
#include <cstdlib>
#include <optional>
#include <span>
#include <thread>
#include <unistd.h>

#include <ATen/ATen.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/sha256.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

/// In the file's metadata: what the tensors have to hash to. A flipped bit must not become a wrong measurement.
constexpr auto hash_key = "slopegan.sha256";

std::optional<Safetensors> read_cached(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  try {
    Safetensors content = read_safetensors(file);
    const auto hash = content.metadata.find(hash_key);
    if (hash != content.metadata.end() && hash->second == tensor_hash(content.tensors)) return content;
    log::warning(printable(file.string()) + " is damaged and is made again");
  } catch (const Error& error) {
    log::warning(std::string(error.what()) + "; it is made again");
  }
  return std::nullopt;
}

void store(const fs::path& file, const Safetensors& content) {
  const fs::path temporary = file.string() + ".tmp-" + std::to_string(::getpid());
  auto metadata = content.metadata;
  metadata[hash_key] = tensor_hash(content.tensors);
  try {
    write_safetensors(temporary, content.tensors, metadata);
    rename_path(temporary, file);
  } catch (const IoError& error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    log::warning(std::string("nothing was cached: ") + error.what());
  }
}

/// Waits while another process makes `file`. Nothing where the place cannot be locked at all, or a signal asks to stop.
std::optional<FileLock> wait_for_lock(const fs::path& file) {
  while (stop_signal() == 0) {
    try {
      make_directories(file.parent_path());
      return FileLock(file.string() + ".lock", file);
    } catch (const BusyError&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    } catch (const IoError& error) {
      log::warning(std::string("nothing will be cached: ") + error.what());
      break;
    }
  }
  return std::nullopt;
}

}  // namespace

fs::path cache_dir() {
  const auto variable = [](const char* name) -> fs::path {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
  };
  if (const auto chosen = variable("SLOPEGAN_CACHE"); !chosen.empty()) return chosen;
  if (const auto caches = variable("XDG_CACHE_HOME"); caches.is_absolute()) return caches / "slopegan";
  if (const auto home = variable("HOME"); home.is_absolute()) return home / ".cache" / "slopegan";
  std::error_code ignored;
  return fs::temp_directory_path(ignored) / "slopegan-cache";
}

std::string tensor_hash(const NamedTensors& tensors) {
  Sha256 hash;
  for (const auto& [name, tensor] : tensors) {
    std::string title = name + format(" %d", static_cast<int>(tensor.scalar_type()));
    for (const auto size : tensor.sizes()) title += format(" %lld", static_cast<long long>(size));
    title += '\n';
    hash.update(std::as_bytes(std::span(title)));
    const auto values = tensor.to(at::kCPU).contiguous();
    hash.update({static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
  }
  return hash.hex();
}

Safetensors cached_tensors(const std::string& name, const std::function<Safetensors()>& make) {
  const fs::path file = cache_dir() / name;
  if (auto content = read_cached(file)) return std::move(*content);
  const auto lock = wait_for_lock(file);
  if (lock) {
    if (auto content = read_cached(file)) return std::move(*content);  // another process has made it meanwhile
  }
  Safetensors content = make();
  if (lock) store(file, content);
  return content;
}

}  // namespace slopegan
