#include "images/npz.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <stdexcept>
#include <utility>

#include "data/dataset.h"
#include "data/found_files.h"
#include "data/npz_labels.h"
#include "data/npz_pixels.h"
#include "support/errors.h"
#include "support/text.h"

/// Data sets in NumPy archives: several arrays, as in MedMNIST (Yang et al. 2023: train_images, train_labels,
/// val_images, ...) and Keras (x_train, y_train, ...), or a single array, such as the arr_0 that `slopegan generate`
/// and numpy.savez write.
namespace slopegan {

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// The names of the arrays of a split. `labels` is empty if there are none.
struct NpzSplit {
  std::string images;
  std::string labels;
};

/// The letters and digits of a name, in lower case: "X_train" becomes "xtrain".
std::string plain_name(const std::string& name) {
  std::string plain;
  for (const unsigned char c : lower_case(name)) {
    if (std::isalnum(c)) plain += static_cast<char>(c);
  }
  return plain;
}

/// The first array whose name consists of a word from `splits` and one from `contents`, in either order. Earlier words
/// take precedence.
std::string array_named(const Words& arrays, const Words& splits, const Words& contents) {
  for (const auto& content : contents) {
    for (const auto& split : splits) {
      const auto fits = [&](const std::string& name) {
        const auto plain = plain_name(name);
        return plain == split + content || plain == content + split;
      };
      const auto found = std::find_if(arrays.begin(), arrays.end(), fits);
      if (found != arrays.end()) return *found;
    }
  }
  return "";
}

const Words image_words = {"images", "image", "imgs", "img", "x", "data", "pixels"};
const Words label_words = {"labels", "label", "y", "targets", "target", "classes", "class"};

std::optional<NpzSplit> split_named(const Words& arrays, const Words& splits) {
  const std::string images = array_named(arrays, splits, image_words);
  if (images.empty()) return std::nullopt;
  return NpzSplit{images, array_named(arrays, splits, label_words)};
}

/// Finds images whose name does not mention a split: an array with one of the usual names, the first unnamed array, or
/// the only array.
std::optional<NpzSplit> unsplit(const Words& arrays) {
  if (auto named = split_named(arrays, {""})) return named;
  if (auto unnamed = array_named(arrays, {""}, {"arr0"}); !unnamed.empty()) {
    auto labels = array_named(arrays, {""}, {"arr1"});
    return NpzSplit{std::move(unnamed), labels.empty() ? array_named(arrays, {""}, label_words) : std::move(labels)};
  }
  if (arrays.size() == 1) return NpzSplit{arrays.front(), ""};
  return std::nullopt;
}

/// The arrays of a split, or std::nullopt if the file lacks the split. Validation images serve as the test split of a
/// file without test images. The only array of a file is used for training even if it is named test_images.
std::optional<NpzSplit> find_split(const NpzFile& file, Split split) {
  const auto arrays = file.arrays();
  auto train = split_named(arrays, {"train", "training", "tr"});
  if (!train) train = unsplit(arrays);
  if (split == Split::train) return train;
  auto test = split_named(arrays, {"test", "testing"});
  if (!test) test = split_named(arrays, {"val", "valid", "validation"});
  return test && train && test->images == train->images ? std::nullopt : test;
}

/// `path` itself or, if it is a directory, the only npz file in it. Throws DataError if there is none or several.
fs::path npz_in(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  std::vector<fs::path> found;
  for (const auto& file : files_below(path)) {
    if (lower_case(file.extension().string()) == ".npz") found.push_back(file);
  }
  if (found.size() == 1) return found.front();
  throw DataError("data.path: the directory " + printable(path.string()) +
                  (found.empty() ? " contains no npz file"
                                 : format_text(" contains {} npz files; name one of them, such as {}", found.size(),
                                               printable(found.front().string()))));
}

std::string array_text(const fs::path& file, const std::string& name) {
  return printable(file.string()) + ", " + printable(name);
}

/// An array of images and the kind of its values.
struct StoredImages {
  torch::Tensor values;  ///< [N, C, H, W]
  NpyKind kind;
};

StoredImages read_images(const NpzFile& file, const fs::path& path, const std::string& name) {
  NpyArray array = file.read(name);
  const std::string text = array_text(path, name) + " has the shape " + shape_text(array.shape);
  const NpyKind kind = array.kind;
  std::optional<torch::Tensor> images;
  try {
    images = as_image_batch(number_tensor(std::move(array)));
  } catch (const std::invalid_argument& error) {
    throw DataError(array_text(path, name) + " " + error.what());
  }
  if (images) return {*images, kind};
  throw DataError(text + format_text("; images have the shape N x H x W, N x H x W x C or N x C x H x W with 1, 3 or 4 "
                                     "channels and sides of 1 to {}; reshape them in NumPy",
                                     max_image_side));
}

PixelRange own_range(const fs::path& path, const StoredImages& images, const std::string& name, int fixed_bits) {
  try {
    return pixel_range_of(images.values, images.kind, fixed_bits);
  } catch (const std::invalid_argument& error) {
    throw DataError(array_text(path, name) + " " + error.what());
  }
}

/// The range of `images`. Test images of the same type as the training images get the range of the training images, so
/// that both are scaled alike.
PixelRange range_for(const NpzFile& file, const fs::path& path, const StoredImages& images, const std::string& name,
                     int fixed_bits) {
  const auto train = find_split(file, Split::train);
  if (images.values.scalar_type() != torch::kByte && train && train->images != name) {
    const auto reference = read_images(file, path, train->images);
    if (reference.values.scalar_type() == images.values.scalar_type()) {
      return own_range(path, reference, train->images, fixed_bits);
    }
  }
  return own_range(path, images, name, fixed_bits);
}

void add_images(Dataset& dataset, const NpzFile& file, const std::string& name, const DataConfig& config) {
  const fs::path& path = dataset.files.front();
  const StoredImages stored = read_images(file, path, name);
  const PixelRange range = range_for(file, path, stored, name, config.fixed_bits);
  auto bytes = to_pixel_bytes(stored.values, range);
  const std::string shown = printable(name);
  const bool may_be_bytes = config.fixed_bits > 8 && range.deep_bits > 0 && stored.values.numel() > 0 &&
                            stored.values.max().item<double>() <= 255;
  if (may_be_bytes) {
    dataset.warnings.push_back(shown + " contains " + range.text + "; if the values are bytes, store them as uint8");
  } else if (!range.text.empty()) {
    dataset.notes.push_back(shown + " contains " + range.text);
  }
  if (bytes.clipped > 0) {
    const bool is_one = bytes.clipped == 1;
    const char* verb = is_one ? "is" : "are";
    dataset.warnings.push_back(format_text("{} value{} of {} {} outside the range of the {} and {} clipped",
                                           bytes.clipped, is_one ? "" : "s", shown, verb,
                                           config.fixed_bits > 0 ? "other set of images" : "training images", verb));
  }
  dataset.deep_bits = range.deep_bits;
  dataset.images = std::move(bytes.images);
  if (dataset.images.size(1) != 4) return;
  std::int64_t transparent = 0;
  dataset.images = on_background(dataset.images, config.background, transparent);
  const bool drops = config.background == "none";
  dataset.notes.push_back(format_text("{} of {} images {} transparent pixels (data.background: {}{})", transparent,
                                      dataset.size(), transparent == 1 ? "has" : "have", config.background,
                                      drops ? ", which keeps their stored colours" : ", the colour behind them"));
}

/// The sorted distinct strings in the array `labels` of training labels; empty if the labels are numbers. Throws
/// DataError if they are unusable.
std::vector<std::string> training_classes(const NpzFile& file, const std::string& labels) {
  NpyArray array = file.read(labels);
  const auto images = array.shape.empty() ? 0 : array.shape[0];
  try {
    return labels_of_array(std::move(array), images).class_names;
  } catch (const std::invalid_argument& error) {
    throw DataError(printable(labels) + " " + error.what());
  }
}

/// Sets the labels if the split has any, or adds a warning if they are unusable. Images can be used without labels. The
/// class names are those of the training images.
void add_labels(Dataset& dataset, const NpzFile& file, const NpzSplit& split) {
  if (split.labels.empty()) return;
  const std::string shown = printable(split.labels);
  try {
    NpyArray array = file.read(split.labels);
    std::vector<std::string> known;
    const auto train = find_split(file, Split::train);
    if ((array.kind == NpyKind::bytes || array.kind == NpyKind::unicode) && train && !train->labels.empty() &&
        train->labels != split.labels) {
      known = training_classes(file, train->labels);
    }
    auto found = labels_of_array(std::move(array), dataset.size(), known);
    dataset.labels = std::move(found.labels);
    dataset.class_names = std::move(found.class_names);
    if (!found.note.empty()) dataset.notes.push_back(shown + " " + found.note);
  } catch (const std::invalid_argument& error) {
    dataset.warnings.push_back(shown + " " + error.what() + "; the images are used without labels");
  } catch (const DataError& error) {
    dataset.warnings.push_back(std::string(error.what()) + "; the images are used without labels");
  }
}

/// Adds a note that lists the arrays that belong to neither split.
void note_unused_arrays(Dataset& dataset, const NpzFile& file) {
  auto unused = file.arrays();
  for (const auto split : {Split::train, Split::test}) {
    const auto names = find_split(file, split);
    if (names) std::erase_if(unused, [&](const auto& name) { return name == names->images || name == names->labels; });
  }
  if (!unused.empty()) dataset.notes.push_back("arrays that are not read: " + printable(join(unused, ", ")));
}

bool has_npz_split(const fs::path& path, Split split) { return find_split(NpzFile(npz_in(path)), split).has_value(); }

Dataset load_npz(const DataConfig& config, const fs::path& path, Split split) {
  const fs::path file_path = npz_in(path);
  const NpzFile file(file_path);
  const auto arrays = find_split(file, split);
  if (!arrays) {
    throw DataError(format_text(
        "{} contains no array with the images of the {} split; the expected names are {}_images (MedMNIST), x_{} "
        "(Keras){}; it contains: {}",
        printable(file_path.string()), split_name(split), split_name(split), split_name(split),
        split == Split::train ? ", images, X, data or arr_0" : "", printable(join(file.arrays(), ", "))));
  }
  Dataset dataset;
  dataset.name = dataset_name(file_path.parent_path() / file_path.stem());
  dataset.files = {file_path};
  add_images(dataset, file, arrays->images, config);
  if (config.labels == LabelUse::none) {
    if (!arrays->labels.empty()) note_unused_labels(dataset);
  } else {
    add_labels(dataset, file, *arrays);
  }
  if (split == Split::train) note_unused_arrays(dataset, file);
  return dataset;
}

}  // namespace

const DatasetFormat npz_format{has_npz_split, load_npz};

}  // namespace slopegan
