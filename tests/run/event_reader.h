#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <protozero/pbf_reader.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "run/event_files.h"
#include "support/bytes.h"

/// Reads event files back. Except for the checksums, this code is independent of the code that writes them.
namespace slopegan::testing {

/// Returns the payloads of the records. Throws an exception unless all checksums are correct.
inline std::vector<std::string> records_of(const std::filesystem::path& file) {
  const std::string content = read_file(file, std::size_t{1} << 30);
  constexpr std::size_t header = 12, footer = 4;  // the length and its checksum; the checksum of the payload
  std::vector<std::string> records;
  for (std::string_view rest = content; !rest.empty();) {
    const auto length = rest.size() < header ? rest.size() : little_endian(rest.substr(0, 8));
    if (length > rest.size() - header - footer) throw std::runtime_error("a truncated record");
    records.emplace_back(rest.substr(header, length));
    if (event_record(records.back()) != rest.substr(0, header + length + footer)) {
      throw std::runtime_error("a wrong checksum");
    }
    rest.remove_prefix(header + length + footer);
  }
  return records;
}

/// Field numbers from tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
constexpr protozero::pbf_tag_type event_wall_time = 1, event_step = 2, event_file_version = 3, event_summary = 5,
                                  event_session_log = 7, session_log_status = 1, summary_value = 1, value_tag = 1,
                                  value_simple_value = 2, value_histogram = 5;

/// Returns the field `tag` of a message. Throws an exception if the field is missing.
inline protozero::pbf_reader field_of(std::string_view message, protozero::pbf_tag_type tag) {
  protozero::pbf_reader reader(message);
  if (!reader.next(tag)) throw std::runtime_error("a missing field");
  return reader;
}

struct EventPoint {
  std::int64_t step = 0;
  std::string tag;
  float scalar = 0;    ///< the value, if it is a scalar
  std::string object;  ///< the encoded value, if it is an image or a histogram
  bool operator==(const EventPoint&) const = default;
};

inline EventPoint parse_point(std::int64_t step, protozero::pbf_reader value) {
  EventPoint point{.step = step, .tag = {}, .object = {}};
  while (value.next()) {
    if (value.tag() == value_tag) {
      point.tag = value.get_string();
    } else if (value.tag() == value_simple_value) {
      point.scalar = value.get_float();
    } else {
      point.object = value.get_string();
    }
  }
  return point;
}

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
      const auto step = field_of(record, event_step).get_int64();
      protozero::pbf_reader event(record);
      while (event.next(event_summary)) {
        auto summary = event.get_message();
        while (summary.next(summary_value)) points.push_back(parse_point(step, summary.get_message()));
      }
    }
  }
  return points;
}

/// Returns the points that do not depend on the clock or the machine.
inline std::vector<EventPoint> timeless_points(const std::filesystem::path& run) {
  auto points = event_points(run);
  std::erase_if(points, [](const EventPoint& point) { return point.tag.starts_with("machine/"); });
  return points;
}

}  // namespace slopegan::testing
