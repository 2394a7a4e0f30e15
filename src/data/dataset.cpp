#include "data/dataset.h"

#include <mutex>
#include <set>
#include <span>
#include <stdexcept>

#include "config/enums.h"
#include "data/summary.h"
#include "data/transform.h"
#include "data/wrong_kind.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/out_of_memory.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

const char* split_name(Split split) { return split == Split::train ? "train" : "test"; }

namespace {

const DatasetFormat& format_of(const DataConfig& config) {
  switch (config.kind) {
    case DatasetKind::idx:
      return idx_format;
    case DatasetKind::cifar:
      return cifar_format;
    case DatasetKind::image_folder:
      return config.as_in_0_9 ? image_folder_0_9_format : image_folder_format;
    case DatasetKind::npz:
      return npz_format;
  }
  throw std::logic_error("unknown DatasetKind");
}

/// Converts uint8 [N, C, H, W] between gray and RGB: repeats the gray channel, or computes the luma (ITU-R BT.601).
torch::Tensor with_channels(const torch::Tensor& images, std::int64_t channels) {
  if (channels == 3) return images.expand({-1, 3, -1, -1}).contiguous();
  std::vector<torch::Tensor> parts;
  for (const auto& part : images.split(1024)) {  // bounds the memory of the float copies
    const auto rgb = part.to(torch::kFloat);
    const auto luma = rgb.select(1, 0) * 0.299 + rgb.select(1, 1) * 0.587 + rgb.select(1, 2) * 0.114;
    parts.push_back(luma.round_().to(torch::kByte).unsqueeze(1));
  }
  return torch::cat(parts);
}

/// Adds a warning if all images are identical, because a GAN can then only copy them.
void warn_of_equal_images(Dataset& dataset) {
  const auto count = dataset.size();
  if (count == 1) {
    dataset.warnings.emplace_back("there is only one image, which a GAN can only copy");
    return;
  }
  for (std::int64_t i = 1; i < count; ++i) {
    if (!torch::equal(dataset.images[i], dataset.images[0])) return;
  }
  dataset.warnings.push_back(format_text("all {} images are identical, so a GAN can only copy them", count));
}

/// Returns whether this is the first time that this process logs the line. Thread-safe.
bool is_new_line(const std::string& line) {
  static std::mutex mutex;
  static std::set<std::string> logged;
  const std::lock_guard lock(mutex);
  return logged.insert(line).second;
}

/// The class names of Fashion-MNIST, whose label files contain only numbers; empty for other images.
std::vector<std::string> known_class_names(const std::string& hash) {
  const bool is_fashion_mnist = hash == "7521872f656781fe14976a15048c2a9549cba6cd5e30a40b419bd681594da3f2" ||
                                hash == "63f7b14934ae58a370a21f8b5ad70fed85f8ae2fd53773934ef26689f561cea1";  // test
  if (!is_fashion_mnist) return {};
  return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};
}

/// Loads a split. If `path` contains something other than data of this kind, the error message says what it contains.
Dataset load_split(const DataConfig& config, const std::filesystem::path& path, Split split) {
  try {
    return explain_memory("loading the images of " + display(path),
                          "use fewer images, or a smaller data.resolution for folders of images",
                          [&] { return format_of(config).load(config, path, split); });
  } catch (const DataError&) {
    const std::string message = wrong_kind_message(config.kind, path);
    if (message.empty()) throw;
    throw DataError(message);
  }
}

}  // namespace

std::string Dataset::pixel_key() const { return fit == ImageFit::pad ? hash : hash + " " + std::string(name_of(fit)); }

bool has_split(const DataConfig& config, Split split) { return format_of(config).has_split(config.path, split); }

std::shared_ptr<const Dataset> load_dataset(const DataConfig& config, Split split) {
  auto dataset = std::make_shared<Dataset>(load_split(config, config.path, split));
  if (config.labels == LabelUse::none && dataset->has_labels()) {
    dataset->labels = torch::Tensor();
    dataset->class_names.clear();
    note_unused_labels(*dataset);
  }
  if (config.channels != 0 && config.channels != dataset->channels()) {
    dataset->images = with_channels(dataset->images, config.channels);
    dataset->hash.clear();
  }
  if (dataset->hash.empty()) dataset->hash = hash_images(dataset->images);
  if (dataset->has_labels() && dataset->class_names.empty()) dataset->class_names = known_class_names(dataset->hash);
  if (!consists_of_image_files(config.kind)) {  // image files are fitted when they are packed
    dataset->fit = chosen_fit(config);
    const auto text = fit_text(dataset->height(), dataset->width(), config.resolution, dataset->fit);
    if (!text.empty()) dataset->notes.push_back(text);
  }
  if (const auto warning = range_warning(*dataset); !warning.empty()) dataset->warnings.push_back(warning);
  dataset->as_in_0_9 = config.as_in_0_9;
  if (split == Split::train) warn_of_equal_images(*dataset);
  return dataset;
}

std::shared_ptr<const Dataset> load_test_split(const DataConfig& config, const Dataset& train) {
  try {
    if (!has_split(config, Split::test)) return nullptr;
    auto test = load_dataset(config, Split::test);
    log_notes(*test, Split::test);
    if (test->channels() == train.channels()) return test;
    log::warning(format_text("the test images are not used: they have {} channel{}, but the training images have {}",
                             test->channels(), plural_s(test->channels()), train.channels()));
  } catch (const DataError& error) {
    log::warning(std::string("the test images are not used: ") + error.what());
  }
  return nullptr;
}

void log_notes(const Dataset& dataset, Split split) {
  log_notes(dataset, split == Split::train ? "training images" : "test images");
}

void log_notes(const Dataset& dataset, const std::string& images) {
  const std::string prefix = images + ": ";
  for (const auto& note : dataset.notes) {
    if (is_new_line(prefix + note)) log::info(prefix + note);
  }
  for (const auto& warning : dataset.warnings) {
    if (is_new_line(prefix + warning)) log::warning(prefix + warning);
  }
  if (dataset.unreadable.empty()) return;
  const auto count = dataset.unreadable.size();
  const std::string files = count == 1 ? "1 file cannot be read and is skipped: "
                                       : format_text("{} files cannot be read and are skipped, for example ", count);
  const auto line = prefix + files + dataset.unreadable.front();
  if (is_new_line(line)) log::warning(line);
}

void note_unused_labels(Dataset& dataset) { dataset.notes.emplace_back(unused_labels_note); }

std::filesystem::path source_of(const Dataset& dataset) {
  return dataset.files.empty() ? std::filesystem::path() : dataset.files.front();
}

std::string dataset_name(const std::filesystem::path& path) {
  const auto clean = std::filesystem::absolute(path).lexically_normal();  // for "." and "mnist/"
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

torch::Tensor byte_tensor(ByteBuffer buffer, const std::vector<std::int64_t>& shape) {
  return torch::from_blob(buffer.memory.release(), shape, [](void* memory) { std::free(memory); }, torch::kByte);
}

}  // namespace slopegan
