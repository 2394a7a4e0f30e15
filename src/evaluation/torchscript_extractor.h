#pragma once

#include <filesystem>
#include <memory>

#include "evaluation/extractor.h"

namespace torch::jit {
struct Module;
}

namespace slopegan {

/// A network that the user has as a TorchScript file, by the conventions of inception-2015-12-05.pt: forward(uint8 [N,
/// 3, H, W], return_features=True) gives [N, d] features, resizing inside; forward(…, no_output_bias=True) gives [N, K]
/// class probabilities. A forward without those arguments gives features alone. TorchScript is code: the file is run.
///
/// It is named "inception" where the file's name starts with inception-2015-12-05 and the features are 2,048: only
/// such figures may be called FID, KID and IS. Others are named "file-" and the stem of the file's name.
class TorchScriptExtractor : public FeatureExtractor {
 public:
  /// Throws DataError naming the file where it is no TorchScript module, or gives no features for a black image.
  explicit TorchScriptExtractor(const std::filesystem::path& file);
  ~TorchScriptExtractor() override;

  bool has_classes() const override;

 private:
  struct Loaded;
  explicit TorchScriptExtractor(std::unique_ptr<Loaded> loaded);
  static std::unique_ptr<Loaded> load(const std::filesystem::path& file);

  Extraction extract_batch(const at::Tensor& images) override;

  std::unique_ptr<Loaded> loaded_;
};

}  // namespace slopegan
