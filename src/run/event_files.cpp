#include "run/event_files.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <protozero/pbf_builder.hpp>
#include <utility>

#include "support/bytes.h"
#include "support/checksums.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

namespace {

// Field numbers from tensorflow/core/framework/summary.proto and histogram.proto.
enum class SummaryField : protozero::pbf_tag_type { value = 1 };
enum class ValueField : protozero::pbf_tag_type { tag = 1, simple_value = 2, image = 4, histogram = 5 };
enum class ImageField : protozero::pbf_tag_type { height = 1, width = 2, colorspace = 3, encoded_image_string = 4 };
enum class HistogramField : protozero::pbf_tag_type {
  min = 1,
  max = 2,
  num = 3,
  sum = 4,
  sum_squares = 5,
  bucket_limit = 6,
  bucket = 7
};

/// Appends a value to the summary: the fields that `add_fields(value)` writes, then `tag`.
template <typename AddFields>
void append_value(std::string& summary, std::string_view tag, AddFields add_fields) {
  protozero::pbf_builder<SummaryField> message(summary);
  protozero::pbf_builder<ValueField> value(message, SummaryField::value);
  add_fields(value);
  value.add_string(ValueField::tag, tag);
}

}  // namespace

void EventSummary::add_scalar(std::string_view tag, double value) {
  append_value(message_, tag, [&](protozero::pbf_builder<ValueField>& message) {
    message.add_float(ValueField::simple_value, static_cast<float>(value));
  });
}

void EventSummary::add_image(std::string_view tag, std::string_view png, int width, int height, int channels) {
  append_value(message_, tag, [&](protozero::pbf_builder<ValueField>& message) {
    protozero::pbf_builder<ImageField> image(message, ValueField::image);
    image.add_int32(ImageField::height, height);
    image.add_int32(ImageField::width, width);
    image.add_int32(ImageField::colorspace, channels);
    image.add_bytes(ImageField::encoded_image_string, png);
  });
}

void EventSummary::add_histogram(std::string_view tag, const Histogram& histogram) {
  // A bucket begins at the limit of the previous one, so a gap is written as an empty bucket.
  std::vector<double> limits, counts;
  for (const auto& bucket : histogram.buckets()) {
    if (!limits.empty() && limits.back() != bucket.left) {
      limits.push_back(bucket.left);
      counts.push_back(0);
    }
    limits.push_back(bucket.right);
    counts.push_back(static_cast<double>(bucket.count));
  }
  append_value(message_, tag, [&](protozero::pbf_builder<ValueField>& message) {
    protozero::pbf_builder<HistogramField> fields(message, ValueField::histogram);
    fields.add_double(HistogramField::min, histogram.min());
    fields.add_double(HistogramField::max, histogram.max());
    fields.add_double(HistogramField::num, static_cast<double>(histogram.count()));
    fields.add_double(HistogramField::sum, histogram.sum());
    fields.add_double(HistogramField::sum_squares, histogram.sum_of_squares());
    fields.add_packed_double(HistogramField::bucket_limit, limits.begin(), limits.end());
    fields.add_packed_double(HistogramField::bucket, counts.begin(), counts.end());
  });
}

namespace {

template <Record R>
const std::string& label_of(const R& record) {
  return record.name;
}
const std::string& label_of(const RulerFigures& ruler) { return ruler.extractor; }

/// Adds the fields of a record that have a tag. If the record is an element of a vector, its fields get the tag
/// "tag/label".
struct AddScalars {
  EventSummary& summary;
  std::string suffix{};

  void operator()(const Field& field, double value) const {
    if (field.tag != nullptr) summary.add_scalar(field.tag + suffix, value);
  }
  void operator()(const Field& field, const std::optional<double>& value) const {
    if (value) (*this)(field, *value);
  }
  void operator()(const Field& field, const std::map<std::string, double>& values) const {
    if (field.tag == nullptr) return;
    for (const auto& [key, value] : values) summary.add_scalar(std::string(field.tag) + "/" + key + suffix, value);
  }
  template <Record R>
  void operator()(const Field&, const R& record) const {
    R::visit_fields(record, *this);
  }
  template <Record R>
  void operator()(const Field& field, const std::optional<R>& record) const {
    if (record) (*this)(field, *record);
  }
  template <Record R>
  void operator()(const Field&, const std::vector<R>& records) const {
    for (const auto& record : records) R::visit_fields(record, AddScalars{summary, "/" + label_of(record)});
  }
  void operator()(const Field&, std::int64_t) const {}
  void operator()(const Field&, const std::string&) const {}
  void operator()(const Field&, const std::vector<std::string>&) const {}
};

template <Record R>
EventSummary tagged_fields(const R& record) {
  EventSummary summary;
  R::visit_fields(record, AddScalars{summary});
  return summary;
}

}  // namespace

EventSummary summary_of(const HistoryRecord& record) { return tagged_fields(record); }
EventSummary summary_of(const MetricsRecord& record) { return tagged_fields(record); }
EventSummary summary_of(const DiagnosticsRecord& record) { return tagged_fields(record); }

namespace {

constexpr std::string_view event_prefix = "events.out.tfevents.", event_suffix = ".slopegan";

// Field numbers from tensorflow/core/util/event.proto.
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

/// Returns the number in the name of one of our event files, or std::nullopt for other names.
std::optional<std::int64_t> event_file_number(std::string_view name) {
  if (!name.starts_with(event_prefix) || !name.ends_with(event_suffix)) return std::nullopt;
  if (name.size() <= event_prefix.size() + event_suffix.size()) return std::nullopt;
  name.remove_prefix(event_prefix.size());
  name.remove_suffix(event_suffix.size());
  const auto number = parse_as<std::int64_t>(name);
  return number && *number >= 0 ? number : std::nullopt;
}

/// The masked CRC of the TFRecord format. The CRC is masked because the plain CRC of bytes that contain CRCs is weak.
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
    : directory_(std::move(directory)),
      number_(std::max<std::int64_t>(0, static_cast<std::int64_t>(seconds_since_1970()))) {
  // TensorBoard reads the files in a directory in the order of their names, which contain the time. This file must sort
  // after the older ones even if the clock was set back. If there is no larger number, the last file is continued.
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  for (const auto& file : files()) {
    const std::int64_t older = *event_file_number(file.filename().native());
    number_ = std::max(number_, older < largest ? older + 1 : largest);
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

void EventFiles::truncate_to(const std::map<std::string, std::uint64_t>& sizes) {
  for (const auto& file : files()) {
    if (!sizes.contains(file.filename().string())) remove_tree(file);
  }
  for (const auto& [name, size] : sizes) {
    if (!event_file_number(name)) continue;
    const auto path = directory_ / name;
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) {
      log::warning(display(path) + " is missing, so TensorBoard will not show its events");
    } else if (AppendFile file(path); file.size() < size) {
      log::warning(display(path) + " is incomplete, so TensorBoard will not show its last events");
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
  // At this message, readers discard all previous events whose step is at least the step of the message. That step is
  // *start_ + 1, because the event at step *start_ is not written again.
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
