#include "data/dataset.h"

#include <span>
#include <stdexcept>

#include "data/cifar.h"
#include "data/folder_files.h"
#include "data/idx.h"
#include "data/idx_files.h"
#include "data/image_folder.h"
#include "data/npz.h"
#include "support/cache_directory.h"
#include "support/sha256.h"
#include "support/text.h"

namespace slopegan {

const char* split_name(Split split) { return split == Split::train ? "train" : "test"; }

namespace {

Dataset load_kind(const DataConfig& config, const std::filesystem::path& path, Split split) {
  switch (config.kind) {
    case DatasetKind::idx:
      return load_idx(path, split, config.transpose);
    case DatasetKind::cifar:
      return load_cifar(path, split);
    case DatasetKind::image_folder:
      return load_packed_folder(config, path, split);
    case DatasetKind::npz:
      return load_npz(path, split);
  }
  throw std::logic_error("load_dataset: unknown kind of data set");
}

/// uint8 [N, C, H, W] to `channels`: gray ones three times over, or the luma of red, green and blue (ITU-R BT.601).
torch::Tensor with_channels_of(const torch::Tensor& images, std::int64_t channels) {
  if (channels == 3) return images.expand({-1, 3, -1, -1}).contiguous();
  std::vector<torch::Tensor> parts;
  for (const auto& part : images.split(1024)) {  // as float they take four times the memory
    const auto rgb = part.to(torch::kFloat);
    const auto luma = rgb.select(1, 0) * 0.299 + rgb.select(1, 1) * 0.587 + rgb.select(1, 2) * 0.114;
    parts.push_back(luma.round_().to(torch::kByte).unsqueeze(1));
  }
  return torch::cat(parts);
}

}  // namespace

bool has_split(const DataConfig& config, Split split) {
  const auto path = expand_home(config.path);
  switch (config.kind) {
    case DatasetKind::idx:
      return find_idx_files(path, split).has_value();
    case DatasetKind::cifar:
      return has_cifar_split(path, split);
    case DatasetKind::image_folder:
      return split_folder(path, split).has_value();
    case DatasetKind::npz:
      return has_npz_split(path, split);
  }
  throw std::logic_error("has_split: unknown kind of data set");
}

std::shared_ptr<const Dataset> load_dataset(const DataConfig& config, Split split) {
  auto dataset = std::make_shared<Dataset>(load_kind(config, expand_home(config.path), split));
  if (config.channels != 0 && config.channels != dataset->channels()) {
    dataset->images = with_channels_of(dataset->images, config.channels);
    dataset->hash.clear();
  }
  if (dataset->hash.empty()) dataset->hash = hash_images(dataset->images);
  return dataset;
}

std::string dataset_name(const std::filesystem::path& path) {
  const auto clean = std::filesystem::absolute(path).lexically_normal();  // "." and "mnist/" have no name of their own
  return printable((clean.has_filename() ? clean : clean.parent_path()).filename().string());
}

std::string hash_images(const torch::Tensor& images) {
  TORCH_CHECK(images.scalar_type() == torch::kByte && images.dim() == 4 && images.is_contiguous(),
              "hash_images: contiguous uint8 [N, C, H, W] expected");
  std::string shape = "uint8";
  for (const auto size : images.sizes()) shape += format_text(" {}", size);
  shape += "\n";
  Sha256 hash;
  hash.update(std::as_bytes(std::span(shape)));
  hash.update(
      std::as_bytes(std::span(images.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(images.numel()))));
  return hash.hex();
}

}  // namespace slopegan
