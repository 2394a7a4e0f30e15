#include "evaluation/efficientnet_extractor.h"

#include <algorithm>
#include <system_error>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "run/safetensors.h"
#include "support/cache_directory.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

constexpr auto weights_file = "efficientnet_lite0.safetensors";
/// SHA-256 of weights_file, as in scripts/install_ruler.py.
constexpr auto weights_hash = "7880d5838338364815bfdf21a83f167d66ca10b01f3878928a0b9d7c8138ba01";
/// The activations of this many images fit in the cache of a core.
constexpr std::int64_t images_per_task = 16;

fs::path program_directory() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

NamedTensors read_weights(const fs::path& file) {
  try {
    if (sha256_file(file) == weights_hash) return read_safetensors(file).tensors;
  } catch (const Error& error) {
    throw DataError(error.what());
  }
  throw DataError(format_text("{} is not the published weights file; remove it and run {}", printable(file.string()),
                              install_efficientnet_command()));
}

}  // namespace

std::optional<fs::path> find_efficientnet_weights() {
  const auto program = program_directory();
  for (const auto& folder : {cache_dir() / "rulers", program / "../rulers", program / "../share/slopegan/rulers"}) {
    std::error_code ignored;
    if (fs::is_regular_file(folder / weights_file, ignored)) return (folder / weights_file).lexically_normal();
  }
  return std::nullopt;
}

std::string install_efficientnet_command() {
  const auto program = program_directory();
  for (const char* place : {"../../scripts/install_ruler.py", "../share/slopegan/install_ruler.py"}) {
    std::error_code ignored;
    const auto script = (program / place).lexically_normal();
    if (fs::is_regular_file(script, ignored)) return "python3 " + printable(script.string());
  }
  return "python3 scripts/install_ruler.py";
}

EfficientNetExtractor::EfficientNetExtractor(const fs::path& weights, std::int64_t input_size)
    : FeatureExtractor(extractor_name(format_text("efficientnet-lite0-{}", input_size), weights_hash)),
      input_size_(input_size),
      network_(read_weights(weights)) {}

at::Tensor EfficientNetExtractor::network_input(const at::Tensor& images) const {
  auto rgb = images.size(1) == 3 ? images : images.expand({-1, 3, -1, -1});
  if (rgb.size(2) != input_size_ || rgb.size(3) != input_size_) {
    rgb = at::_upsample_bilinear2d_aa(rgb, {input_size_, input_size_}, /*align_corners=*/false);
  }
  return (rgb * 127.5 + (127.5 - 127)) / 128;
}

Extraction EfficientNetExtractor::extract_batch(const at::Tensor& images) {
  if (!images.is_cpu()) return {network_.features(network_input(images)), {}};
  const std::int64_t count = images.size(0);
  auto features = at::empty({count, EfficientNetLite0::feature_count});
  at::parallel_for(0, (count + images_per_task - 1) / images_per_task, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::NoGradGuard no_gradients;
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t first = task * images_per_task, size = std::min(images_per_task, count - first);
      features.narrow(0, first, size).copy_(network_.features(network_input(images.narrow(0, first, size))));
    }
  });
  return {features, {}};
}

bool EfficientNetExtractor::move_network(at::Device device) {
  network_.move_to(device);
  return true;
}

}  // namespace slopegan
