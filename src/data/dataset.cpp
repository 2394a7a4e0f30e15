#include "data/dataset.h"

#include <span>
#include <stdexcept>

#include "data/idx.h"
#include "data/idx_files.h"
#include "support/sha256.h"
#include "support/text.h"

namespace slopegan {

const char* split_name(Split split) { return split == Split::train ? "train" : "test"; }

bool has_split(const DataConfig& config, Split split) {
  switch (config.kind) {
    case DatasetKind::idx:
      return find_idx_files(config.path, split).has_value();
  }
  throw std::logic_error("has_split: unknown kind of data set");
}

std::shared_ptr<const Dataset> load_dataset(const DataConfig& config, Split split) {
  switch (config.kind) {
    case DatasetKind::idx:
      return std::make_shared<const Dataset>(load_idx(config.path, split));
  }
  throw std::logic_error("load_dataset: unknown kind of data set");
}

std::string hash_images(const torch::Tensor& images) {
  TORCH_CHECK(images.scalar_type() == torch::kByte && images.dim() == 4 && images.is_contiguous(),
              "hash_images: contiguous uint8 [N, C, H, W] expected");
  std::string shape = "uint8";
  for (const auto size : images.sizes()) shape += format(" %lld", static_cast<long long>(size));
  shape += "\n";
  Sha256 hash;
  hash.update(std::as_bytes(std::span(shape)));
  hash.update(
      std::as_bytes(std::span(images.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(images.numel()))));
  return hash.hex();
}

}  // namespace slopegan
