#include "run/event_files.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <protozero/pbf_builder.hpp>

#include "support/bytes.h"
#include "support/crc32c.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::string_view event_prefix = "events.out.tfevents.", event_suffix = ".slopegan";

// Field numbers in tensorflow/core/util/event.proto.
enum class EventField : protozero::pbf_tag_type {
  wall_time = 1,
  step = 2,
  file_version = 3,
  summary = 5,
  session_log = 7
};
enum class SessionLogField : protozero::pbf_tag_type { status = 1 };
constexpr int session_start = 1;

using EventBuilder = protozero::pbf_builder<EventField>;

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The number in the name of an event file of ours; nothing for other names.
std::optional<std::int64_t> event_file_number(std::string_view name) {
  if (!name.starts_with(event_prefix) || !name.ends_with(event_suffix)) return std::nullopt;
  if (name.size() <= event_prefix.size() + event_suffix.size()) return std::nullopt;
  name.remove_prefix(event_prefix.size());
  name.remove_suffix(event_suffix.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() ? std::optional(number) : std::nullopt;
}

/// As in TFRecord files: a CRC of bytes that hold CRCs themselves would be weak.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

}  // namespace

std::string event_record(std::string_view data) {
  std::string record;
  append_little_endian(record, data.size(), 8);
  append_little_endian(record, masked_crc(record), 4);
  record += data;
  append_little_endian(record, masked_crc(data), 4);
  return record;
}

EventFiles::EventFiles(std::filesystem::path directory)
    : directory_(std::move(directory)), number_(static_cast<std::int64_t>(seconds_since_1970())) {
  // TensorBoard reads the files of a directory in the order of their names, which other writers number by the time. A
  // clock that was set back must not put this file before the older ones.
  for (const auto& file : files()) {
    number_ = std::max(number_, *event_file_number(file.filename().native()) + 1);
  }
}

std::vector<std::filesystem::path> EventFiles::files() const {
  auto entries = entries_of(directory_);
  std::erase_if(entries, [](const std::filesystem::path& entry) {
    std::error_code ignored;
    return !event_file_number(entry.filename().native()) || !std::filesystem::is_regular_file(entry, ignored);
  });
  return entries;
}

std::map<std::string, std::uint64_t> EventFiles::sizes() const {
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& file : files()) sizes[file.filename().string()] = AppendFile(file).size();
  return sizes;
}

void EventFiles::cut_to(const std::map<std::string, std::uint64_t>& sizes) {
  for (const auto& file : files()) {
    if (!sizes.contains(file.filename().string())) remove_tree(file);
  }
  for (const auto& [name, size] : sizes) {
    if (!event_file_number(name)) continue;
    const auto path = directory_ / name;
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) {
      log::warning(display(path) + " is missing: TensorBoard will not show what stood in it");
    } else if (AppendFile file(path); file.size() < size) {
      log::warning(display(path) + " has lost its end: TensorBoard will not show what stood in it");
    } else {
      file.truncate_to(size);
    }
  }
}

void EventFiles::open_file() {
  const std::string number = format_text("{:010}", number_);
  file_.emplace(directory_ / (std::string(event_prefix) + number + std::string(event_suffix)));
  sync_directory(directory_);
  std::string version, start;
  EventBuilder(version).add_string(EventField::file_version, "brain.Event:2");
  append_event(std::move(version), 0);
  // Readers discard events with this step or a later one. The event at the start itself is not written again.
  EventBuilder event(start);
  protozero::pbf_builder<SessionLogField>(event, EventField::session_log)
      .add_enum(SessionLogField::status, session_start);
  append_event(std::move(start), *start_ + 1);
}

void EventFiles::append_event(std::string event, std::int64_t step) {
  EventBuilder message(event);
  message.add_double(EventField::wall_time, seconds_since_1970());
  message.add_int64(EventField::step, step);
  file_->append(event_record(event));
}

void EventFiles::add(std::int64_t images, const EventSummary& summary) {
  if (!is_on()) return;
  if (!file_) open_file();
  std::string event;
  EventBuilder(event).add_message(EventField::summary, summary.message());
  append_event(std::move(event), images);
}

void EventFiles::sync() {
  if (file_) file_->sync();
}

}  // namespace slopegan
