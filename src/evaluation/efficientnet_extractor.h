#pragma once

#include <filesystem>
#include <optional>

#include "evaluation/extractor.h"
#include "models/efficientnet_lite0.h"

namespace slopegan {

/// EfficientNet-Lite0 with its ImageNet weights, for colour images without labels. Images are resized to the input
/// size (bilinear, antialiased when shrinking). The channel of gray images is repeated three times. The name of the
/// extractor contains the input size: "efficientnet-lite0-128@7880d583".
class EfficientNetExtractor : public FeatureExtractor {
 public:
  /// ImageNet networks are trained at 224 pixels. A smaller input size ranks sets of images almost identically in a
  /// fraction of the time; see outputs/README.md.
  static constexpr std::int64_t default_input_size = 128;

  /// `weights` is the file that scripts/install_ruler.py writes. Throws DataError for any other file.
  explicit EfficientNetExtractor(const std::filesystem::path& weights, std::int64_t input_size = default_input_size);

  bool has_classes() const override { return false; }

  /// Converts images in [−1, 1] to the network's input.
  at::Tensor network_input(const at::Tensor& images) const;

  const EfficientNetLite0& network() const { return network_; }

 private:
  Extraction extract_batch(const at::Tensor& images) override;
  bool move_network(at::Device device) override;

  std::int64_t input_size_;
  EfficientNetLite0 network_;
};

/// Returns the path of the installed weights, the file efficientnet_lite0.safetensors. Searches rulers/ in cache_dir(),
/// then ../rulers (where scripts/setup.sh installs the file) and ../share/slopegan/rulers relative to the directory of
/// the program. Returns std::nullopt if the file is in none of them.
std::optional<std::filesystem::path> find_efficientnet_weights();

/// Returns the shell command that installs the weights.
std::string install_efficientnet_command();

}  // namespace slopegan
