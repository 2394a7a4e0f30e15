#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <utility>

#include "data/dataset.h"
#include "data/found_files.h"
#include "data/gz_file.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/ranges.h"
#include "support/text.h"

/// CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in their binary version, plain or gzipped. Each record consists of a label
/// (CIFAR-100: a coarse and a fine label, of which only the fine one is used) and 3 x 32 x 32 bytes.
namespace slopegan {

namespace {

constexpr std::int64_t cifar_image_bytes = 3 * 32 * 32;

struct CifarKind {
  const char* name;
  std::vector<std::string> train, test;
  std::int64_t label_bytes;  ///< number of label bytes before each image; the last one is used
  std::int64_t classes;
  const char* names;  ///< the file with one class name per line
};

const std::array<CifarKind, 2>& cifar_kinds() {
  static const std::array<CifarKind, 2> kinds = {
      {{"CIFAR-10",
        {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
        {"test_batch.bin"},
        1,
        10,
        "batches.meta.txt"},
       {"CIFAR-100", {"train.bin"}, {"test.bin"}, 2, 100, "fine_label_names.txt"}}};
  return kinds;
}

/// One of the two data sets, and the directory that contains it.
struct CifarLocation {
  const CifarKind* kind;
  std::filesystem::path directory;

  std::vector<std::filesystem::path> files(Split split) const {
    std::vector<std::filesystem::path> found;
    for (const auto& name : split == Split::train ? kind->train : kind->test) {
      const auto packed = directory / (name + ".gz");
      found.push_back(has_entry(packed) && !has_entry(directory / name) ? packed : directory / name);
    }
    return found;
  }
};

std::optional<CifarLocation> location_in(const std::filesystem::path& directory) {
  for (const auto& kind : cifar_kinds()) {
    const CifarLocation location{&kind, directory};
    for (const auto& file : location.files(Split::train)) {
      if (has_entry(file)) return location;
    }
  }
  return std::nullopt;
}

/// Searches `path` and its subdirectories, because the archives unpack to cifar-10-batches-bin or cifar-100-binary, and
/// some copies of them add another directory level. `path` may also be one of the files.
std::optional<CifarLocation> find_cifar(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) {
    const auto location = location_in(path.parent_path());
    if (!location) return std::nullopt;
    for (const auto split : {Split::train, Split::test}) {
      const auto files = location->files(split);
      if (contains(files, path)) return location;
    }
    return std::nullopt;
  }
  if (const auto location = location_in(path)) return location;
  std::filesystem::path tried;
  for (const auto& file : files_below(path)) {
    if (file.parent_path() == tried) continue;
    tried = file.parent_path();
    if (const auto location = location_in(tried)) return location;
  }
  return std::nullopt;
}

/// Whether `path` contains the Python version of the data sets.
bool holds_pickled_cifar(const std::filesystem::path& path) {
  const auto files = files_below(path);
  return std::any_of(files.begin(), files.end(), [](const std::filesystem::path& file) {
    const std::string name = file.filename().string(), folder = file.parent_path().filename().string();
    return name == "batches.meta" || name == "data_batch_1" || (name == "meta" && folder == "cifar-100-python");
  });
}

std::string missing_cifar_message(const std::filesystem::path& path) {
  const std::string start = "data.path: " + printable(path.string());
  if (holds_pickled_cifar(path)) {
    return start +
           " contains the Python version of CIFAR, whose pickled files are not read because they can run code; "
           "download the binary version, cifar-10-binary.tar.gz or cifar-100-binary.tar.gz";
  }
  return start +
         " contains neither CIFAR-10's data_batch_1.bin to data_batch_5.bin nor CIFAR-100's train.bin (optionally with "
         ".gz); the unpacked binary version of one of these data sets is expected";
}

/// Returns the records as uint8 [N, label_bytes + 3072].
torch::Tensor read_records(const std::filesystem::path& file, std::int64_t record_bytes) {
  GzFile input(file);
  const auto limit = static_cast<std::size_t>(max_uncompressed_size(input.file_size()));
  ByteBuffer records = read_buffer(limit, file, [&](std::span<std::byte> into) { return input.read(into); });
  const auto bytes = static_cast<std::int64_t>(records.size);
  if (records.size == limit) {
    throw DataError(printable(file.string()) + " decompresses to an implausible amount of data for its size");
  }
  if (bytes == 0) throw DataError(printable(file.string()) + " is empty");
  if (bytes % record_bytes != 0) {
    throw DataError(
        printable(file.string()) +
        format_text(" contains {} bytes, which is not a whole number of records of {} bytes", bytes, record_bytes));
  }
  return byte_tensor(std::move(records), {bytes / record_bytes, record_bytes});
}

/// Reads the class names from the file next to the images. Leaves them empty if the file is missing or does not contain
/// one name per class. If the file cannot be read, also adds a note.
void read_class_names(const CifarLocation& location, Dataset& dataset) {
  const auto file = location.directory / location.kind->names;
  constexpr std::size_t most_bytes = 1 << 16;
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error) || std::filesystem::file_size(file, error) > most_bytes) return;
  std::vector<std::string> names;
  try {
    std::istringstream text(read_file(file, most_bytes));
    for (std::string name; text >> name;) names.push_back(name);
  } catch (const IoError& problem) {
    dataset.notes.push_back(std::string(problem.what()) + "; the classes have no names");
  }
  if (std::ssize(names) == location.kind->classes) dataset.class_names = std::move(names);
}

bool has_cifar_split(const std::filesystem::path& path, Split split) {
  const auto location = find_cifar(path);
  return location && has_entry(location->files(split).front());
}

Dataset load_cifar(const DataConfig& config, const std::filesystem::path& path, Split split) {
  const auto location = find_cifar(path);
  if (!location) throw DataError(missing_cifar_message(path));
  const CifarKind& kind = *location->kind;
  std::vector<torch::Tensor> images, labels;
  bool usable = config.labels != LabelUse::none;
  Dataset dataset;
  if (!usable) note_unused_labels(dataset);
  dataset.name = kind.name;
  dataset.files = location->files(split);
  for (const auto& file : dataset.files) {
    const auto records = read_records(file, kind.label_bytes + cifar_image_bytes);
    labels.push_back(records.select(1, kind.label_bytes - 1).to(torch::kLong));
    if (const auto largest = labels.back().max().item<std::int64_t>(); usable && largest >= kind.classes) {
      usable = false;
      dataset.warnings.push_back(
          printable(file.string()) +
          format_text(" contains the label {}, but the labels of {} are 0 to {}; the images are used "
                      "without labels",
                      largest, kind.name, kind.classes - 1));
    }
    images.push_back(records.slice(1, kind.label_bytes).reshape({-1, 3, 32, 32}));
  }
  dataset.images = torch::cat(images).contiguous();
  if (usable) {
    dataset.labels = torch::cat(labels);
    read_class_names(*location, dataset);
  }
  return dataset;
}

}  // namespace

const DatasetFormat cifar_format{has_cifar_split, load_cifar};

}  // namespace slopegan
