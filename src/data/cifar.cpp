#include "data/cifar.h"

#include <array>
#include <cstdlib>
#include <optional>

#include "data/file_checks.h"
#include "data/gz_file.h"
#include "data/memory_block.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::int64_t image_bytes = 3 * 32 * 32;

struct CifarKind {
  const char* name;
  const char* folder;  ///< as the archive unpacks
  std::vector<std::string> train, test;
  std::int64_t label_bytes;  ///< before each image; the last one counts
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

/// Which of the two lies where, and the files of a split there.
struct CifarPlace {
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

std::optional<CifarPlace> find_cifar(const std::filesystem::path& path) {
  for (const auto& kind : cifar_kinds()) {
    for (const auto& directory : {path, path / kind.folder}) {
      const CifarPlace place{&kind, directory};
      for (const auto& file : place.files(Split::train)) {
        if (has_entry(file)) return place;
      }
    }
  }
  return std::nullopt;
}

/// uint8 [N, label_bytes + 3072].
torch::Tensor read_records(const std::filesystem::path& file, std::int64_t record_bytes) {
  GzFile input(file);
  const auto most = static_cast<std::size_t>(most_believable(input.file_size()));
  auto filled = read_as_it_comes(most, file, [&](std::span<std::byte> into) { return input.read(into); });
  const auto bytes = static_cast<std::int64_t>(filled.size);
  if (filled.size == most) throw DataError(printable(file.string()) + " holds more data than its size bears out");
  if (bytes == 0 || bytes % record_bytes != 0) {
    throw DataError(
        printable(file.string()) +
        format_text(" holds {} bytes, which is no whole number of records of {} bytes", bytes, record_bytes));
  }
  return torch::from_blob(
      filled.memory.release(), {bytes / record_bytes, record_bytes}, [](void* memory) { std::free(memory); },
      torch::kByte);
}

}  // namespace

bool has_cifar_split(const std::filesystem::path& path, Split split) {
  const auto place = find_cifar(path);
  return place && has_entry(place->files(split).front());
}

Dataset load_cifar(const std::filesystem::path& path, Split split) {
  const auto place = find_cifar(path);
  if (!place) {
    throw DataError("data.path: " + printable(path.string()) +
                    " holds neither CIFAR-10's data_batch_1.bin to data_batch_5.bin nor CIFAR-100's train.bin (each "
                    "also with .gz): the binary versions of the archives, unpacked, are expected");
  }
  const CifarKind& kind = *place->kind;
  std::vector<torch::Tensor> images, labels;
  Dataset dataset;
  dataset.name = kind.name;
  dataset.files = place->files(split);
  for (const auto& file : dataset.files) {
    const auto records = read_records(file, kind.label_bytes + image_bytes);
    labels.push_back(records.select(1, kind.label_bytes - 1).to(torch::kLong));
    if (const auto most = labels.back().max().item<std::int64_t>(); most >= kind.classes) {
      throw DataError(printable(file.string()) +
                      format_text(" holds the label {}: this is no file of {}, whose labels are "
                                  "0 to {}",
                                  most, kind.name, kind.classes - 1));
    }
    images.push_back(records.slice(1, kind.label_bytes).reshape({-1, 3, 32, 32}));
  }
  dataset.images = torch::cat(images).contiguous();
  dataset.labels = torch::cat(labels);
  return dataset;
}

}  // namespace slopegan
