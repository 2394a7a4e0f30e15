#pragma once

#include <filesystem>

#include "data/dataset.h"

/// CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in their binary version, plain or gzipped: records of one label (CIFAR-100:
/// a coarse one and a fine one, which is used) and 3 × 32 × 32 bytes.
namespace slopegan {

/// `path` holds data_batch_1.bin … data_batch_5.bin and test_batch.bin, or train.bin and test.bin; or it is the
/// directory around cifar-10-batches-bin or cifar-100-binary, as the archives unpack.
bool has_cifar_split(const std::filesystem::path& path, Split split);

/// Throws DataError that names the file that is missing, of another length than whole records, or damaged.
Dataset load_cifar(const std::filesystem::path& path, Split split);

}  // namespace slopegan
