#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "run/event_files.h"
#include "support/protobuf.h"

/// Reads event files back, independently of how they were written but for the checksums.
namespace slopegan::testing {

/// The payloads of the records, whose checksums have to be right.
inline std::vector<std::string> records_of(const std::filesystem::path& file) {
  const std::string content = read_file(file, std::size_t{1} << 30);
  std::string_view rest = content;
  std::vector<std::string> records;
  while (!rest.empty()) {
    const auto before = rest;
    const auto length = little_endian(take_bytes(rest, 8));
    take_bytes(rest, 4);
    const std::string data(take_bytes(rest, length));
    take_bytes(rest, 4);
    if (event_record(data) != before.substr(0, length + 16)) throw std::runtime_error("a wrong checksum");
    records.push_back(data);
  }
  return records;
}

struct EventPoint {
  std::int64_t step = 0;
  std::string tag;
  std::vector<std::string> value;  ///< the fields of the value other than its tag, as text
  bool operator==(const EventPoint&) const = default;
};

inline std::vector<std::filesystem::path> event_files(const std::filesystem::path& run) {
  auto files = entries_of(run);
  std::erase_if(files, [](const auto& file) { return !file.filename().string().starts_with("events.out.tfevents."); });
  std::sort(files.begin(), files.end());
  return files;
}

inline std::vector<EventPoint> event_points(const std::filesystem::path& run) {
  std::vector<EventPoint> points;
  for (const auto& file : event_files(run)) {
    for (const auto& record : records_of(file)) {
      const auto event = protobuf_fields(record);
      const auto step = std::find_if(event.begin(), event.end(), [](const auto& field) { return field.number == 2; });
      for (const auto& field : event) {
        if (field.number != 5) continue;  // the summary
        for (const auto& value : protobuf_fields(field.bytes)) {
          auto& point = points.emplace_back();
          point.step = static_cast<std::int64_t>(step->integer);
          for (const auto& part : protobuf_fields(value.bytes)) {
            if (part.number == 1) point.tag = part.bytes;
            if (part.number != 1) point.value.push_back(std::to_string(part.integer) + std::string(part.bytes));
          }
        }
      }
    }
  }
  return points;
}

/// Without what depends on the clock and the machine.
inline std::vector<EventPoint> timeless_points(const std::filesystem::path& run) {
  auto points = event_points(run);
  std::erase_if(points, [](const EventPoint& point) { return point.tag.starts_with("machine/"); });
  return points;
}

}  // namespace slopegan::testing
