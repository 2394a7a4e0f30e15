#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace slopegan::testing {

/// One call that changed a file, as the fault library recorded it.
struct RecordedCall {
  std::string kind;         ///< create, cut, write, resize, sync, mkdir, link, unlink, rename, exchange
  std::string path, other;  ///< other: the new name, or the target of a link
  std::string data;         ///< what was written
  std::size_t offset = 0;   ///< where, or the new size
};

inline std::vector<RecordedCall> read_recording(const std::filesystem::path& file) {
  std::ifstream input(file, std::ios::binary);
  std::vector<RecordedCall> calls;
  RecordedCall call;
  while (std::getline(input, call.kind, '\t')) {
    std::string size, offset;
    std::getline(input, size, '\t');
    std::getline(input, offset, '\t');
    std::getline(input, call.path, '\t');
    std::getline(input, call.other, '\n');
    call.data.resize(std::stoul(size));
    input.read(call.data.data(), static_cast<std::streamsize>(call.data.size()));
    call.offset = std::stoul(offset);
    calls.push_back(call);
  }
  return calls;
}

}  // namespace slopegan::testing
