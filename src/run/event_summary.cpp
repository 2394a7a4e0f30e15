#include "run/event_summary.h"

#include <map>
#include <optional>
#include <protozero/pbf_builder.hpp>
#include <string>
#include <vector>

namespace slopegan {

namespace {

// Field numbers in tensorflow/core/framework/summary.proto and histogram.proto.
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

/// Appends a value to the summary: the fields that `add_fields(value)` writes, then its tag.
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

/// Adds the fields of a record that have a tag. The fields of a named record in a vector get the tag "tag/name".
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
    for (const auto& [key, value] : values) summary.add_scalar(std::string(field.tag) + "/" + key, value);
  }
  template <Record R>
  void operator()(const Field&, const R& record) const {
    R::visit_fields(record, *this);
  }
  template <Record R>
  void operator()(const Field&, const std::vector<R>& records) const {
    for (const auto& record : records) R::visit_fields(record, AddScalars{summary, "/" + record.name});
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

}  // namespace slopegan
