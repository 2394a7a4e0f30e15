#pragma once

#include <filesystem>
#include <memory>

#include "evaluation/extractor.h"

namespace torch::jit {
struct Module;
}

namespace slopegan {

/// A TorchScript network provided by the user, with the conventions of inception-2015-12-05.pt: forward(uint8 [N, 3, H,
/// W], return_features=True) resizes the images and returns features [N, d]; forward(…, no_output_bias=True) returns
/// class probabilities [N, K]. A forward method without these arguments only returns features. Loading a TorchScript
/// file runs its code.
///
/// The extractor is named "inception@1a2b3c4d" if the file name starts with inception-2015-12-05 and the network
/// returns 2,048 features, and otherwise "file-STEM@1a2b3c4d", with the stem of the file name. The digits are from the
/// SHA-256 of the file. Only metrics from the extractor "inception" are called FID, KID and IS. The contents of the
/// file are not compared with those of the original, so do not give such a name to the file of any other network.
class TorchScriptExtractor : public FeatureExtractor {
 public:
  /// Throws a DataError that names the file if it is not a TorchScript module or does not return features for a black
  /// image.
  explicit TorchScriptExtractor(const std::filesystem::path& file);
  ~TorchScriptExtractor() override;

  bool has_classes() const override;

 private:
  struct Loaded;
  explicit TorchScriptExtractor(std::unique_ptr<Loaded> loaded);
  static std::unique_ptr<Loaded> load(const std::filesystem::path& file);

  Extraction extract_batch(const at::Tensor& images) override;
  bool move_network(at::Device device) override;

  std::unique_ptr<Loaded> loaded_;
};

/// If there is no such file, throws a DataError that lists the names allowed in metrics.extractor.
void require_torchscript_file(const std::filesystem::path& file);

}  // namespace slopegan
