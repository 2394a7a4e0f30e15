#include "run/event_files.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "support/crc32c.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::string_view event_prefix = "events.out.tfevents.", event_suffix = ".slopegan";

// The numbers of the fields in tensorflow/core/util/event.proto.
namespace event_field {
constexpr int wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7;
}
namespace session_log_field {
constexpr int status = 1;
}
constexpr std::uint64_t session_start = 1;

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
  ProtobufMessage version, start, session;
  version.add_bytes(event_field::file_version, "brain.Event:2");
  add_event(std::move(version), 0);
  // Readers forget what has this step or a later one; what has the images of the start itself is not written again.
  session.add_integer(session_log_field::status, session_start);
  start.add_bytes(event_field::session_log, session.bytes());
  add_event(std::move(start), *start_ + 1);
}

void EventFiles::add_event(ProtobufMessage event, std::int64_t step) {
  event.add_double(event_field::wall_time, seconds_since_1970());
  event.add_integer(event_field::step, static_cast<std::uint64_t>(step));
  file_->append(event_record(event.bytes()));
}

void EventFiles::add(std::int64_t images, const EventSummary& summary) {
  if (!is_on()) return;
  if (!file_) open_file();
  ProtobufMessage event;
  event.add_bytes(event_field::summary, summary.message());
  add_event(std::move(event), images);
}

void EventFiles::sync() {
  if (file_) file_->sync();
}

}  // namespace slopegan
