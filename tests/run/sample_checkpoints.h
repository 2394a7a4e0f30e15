#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "run/checkpoint.h"
#include "support/files.h"
#include "temporary_directory.h"

namespace slopegan {

inline CheckpointInfo info_at(std::int64_t images) {
  return {images, "0.1.0", "seed: 0\ndata: {path: ä}\n", "9f2a", {{"history.jsonl", 123}, {"metrics.jsonl", 0}}};
}

/// Returns a state that differs between checkpoints.
inline NamedTensors state_at(std::int64_t images) {
  return {{"counters.images", torch::tensor(images)},
          {"generator.weight", at::full({2, 3, 4, 4}, static_cast<double>(images)).to(at::MemoryFormat::ChannelsLast)},
          {"empty", at::empty({0})}};
}

inline void save(const std::filesystem::path& directory, std::int64_t images, std::int64_t keep = 100) {
  save_checkpoint(directory, info_at(images), state_at(images), keep);
}

inline std::int64_t images_in(const Checkpoint& checkpoint) {
  return checkpoint.tensors.at("counters.images").item<std::int64_t>();
}

inline std::vector<std::string> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

inline void overwrite(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

/// Flips one bit of the tensor data; only the digest detects this.
inline void damage(const std::filesystem::path& checkpoint) {
  std::string content = read_file(checkpoint / "state.safetensors", 1 << 20);
  content.back() = static_cast<char>(content.back() ^ 1);
  overwrite(checkpoint / "state.safetensors", content);
}

/// An empty directory for checkpoints.
class CheckpointDirectory : public ::testing::Test {
 protected:
  const TemporaryDirectory temporary_;
  const std::filesystem::path dir_ = temporary_ / "checkpoints";
};

}  // namespace slopegan
