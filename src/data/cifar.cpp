#include <array>
#include <optional>
#include <utility>

#include "data/dataset.h"
#include "data/gz_file.h"
#include "support/errors.h"
#include "support/text.h"

/// CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in their binary version, plain or gzipped: records of one label (CIFAR-100:
/// a coarse and a fine label; only the fine one is used) and 3 x 32 x 32 bytes.
namespace slopegan {

namespace {

constexpr std::int64_t cifar_image_bytes = 3 * 32 * 32;

struct CifarKind {
  const char* name;
  const char* folder;  ///< in the published archive
  std::vector<std::string> train, test;
  std::int64_t label_bytes;  ///< before each image; the last one is used
  std::int64_t classes;
};

const std::array<CifarKind, 2>& cifar_kinds() {
  static const std::array<CifarKind, 2> kinds = {
      {{"CIFAR-10",
        "cifar-10-batches-bin",
        {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
        {"test_batch.bin"},
        1,
        10},
       {"CIFAR-100", "cifar-100-binary", {"train.bin"}, {"test.bin"}, 2, 100}}};
  return kinds;
}

/// Which of the two data sets is in a directory.
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

/// Searches `path` and the directory in it that the archives unpack to, cifar-10-batches-bin or cifar-100-binary.
std::optional<CifarLocation> find_cifar(const std::filesystem::path& path) {
  for (const auto& kind : cifar_kinds()) {
    for (const auto& directory : {path, path / kind.folder}) {
      const CifarLocation location{&kind, directory};
      for (const auto& file : location.files(Split::train)) {
        if (has_entry(file)) return location;
      }
    }
  }
  return std::nullopt;
}

/// uint8 [N, label_bytes + 3072].
torch::Tensor read_records(const std::filesystem::path& file, std::int64_t record_bytes) {
  GzFile input(file);
  const auto limit = static_cast<std::size_t>(max_uncompressed_size(input.file_size()));
  ByteBuffer records = read_buffer(limit, file, [&](std::span<std::byte> into) { return input.read(into); });
  const auto bytes = static_cast<std::int64_t>(records.size);
  if (records.size == limit) {
    throw DataError(printable(file.string()) + " decompresses to an implausible amount of data for its size");
  }
  if (bytes == 0 || bytes % record_bytes != 0) {
    throw DataError(
        printable(file.string()) +
        format_text(" holds {} bytes, which is not a whole number of records of {} bytes", bytes, record_bytes));
  }
  return byte_tensor(std::move(records), {bytes / record_bytes, record_bytes});
}

bool has_cifar_split(const std::filesystem::path& path, Split split) {
  const auto location = find_cifar(path);
  return location && has_entry(location->files(split).front());
}

Dataset load_cifar(const DataConfig&, const std::filesystem::path& path, Split split) {
  const auto location = find_cifar(path);
  if (!location) {
    throw DataError(
        "data.path: " + printable(path.string()) +
        " holds neither CIFAR-10's data_batch_1.bin to data_batch_5.bin nor CIFAR-100's train.bin (optionally "
        "with .gz); the unpacked binary versions of the archives are expected");
  }
  const CifarKind& kind = *location->kind;
  std::vector<torch::Tensor> images, labels;
  Dataset dataset;
  dataset.name = kind.name;
  dataset.files = location->files(split);
  for (const auto& file : dataset.files) {
    const auto records = read_records(file, kind.label_bytes + cifar_image_bytes);
    labels.push_back(records.select(1, kind.label_bytes - 1).to(torch::kLong));
    if (const auto largest = labels.back().max().item<std::int64_t>(); largest >= kind.classes) {
      throw DataError(printable(file.string()) + format_text(" holds the label {}, but labels of {} are 0 to {}",
                                                             largest, kind.name, kind.classes - 1));
    }
    images.push_back(records.slice(1, kind.label_bytes).reshape({-1, 3, 32, 32}));
  }
  dataset.images = torch::cat(images).contiguous();
  dataset.labels = torch::cat(labels);
  return dataset;
}

}  // namespace

const DatasetFormat cifar_format{has_cifar_split, load_cifar};

}  // namespace slopegan
