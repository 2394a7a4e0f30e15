#include "run/event_summary.h"

#include <protozero/pbf_builder.hpp>
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

EventSummary summary_of(const HistoryRecord& record) {
  EventSummary summary;
  summary.add_scalar("loss/discriminator", record.discriminator_loss);
  summary.add_scalar("loss/generator", record.generator_loss);
  summary.add_scalar("answers/D(real)", record.d_real);
  summary.add_scalar("answers/D(fake)", record.d_fake);
  summary.add_scalar("gradient_norm/discriminator", record.discriminator_gradient_norm);
  summary.add_scalar("gradient_norm/generator", record.generator_gradient_norm);
  if (record.generator_slope) summary.add_scalar("negative_slope/generator", *record.generator_slope);
  if (record.discriminator_slope) summary.add_scalar("negative_slope/discriminator", *record.discriminator_slope);
  summary.add_scalar("machine/images_per_second", record.images_per_second);
  summary.add_scalar("machine/memory_mib", record.memory_mib);
  return summary;
}

EventSummary summary_of(const MetricsRecord& record) {
  EventSummary summary;
  for (const auto& [name, value] : record.values) summary.add_scalar("metrics/" + name, value);
  for (const auto& [name, value] : record.floors) summary.add_scalar("metrics_floor/" + name, value);
  if (record.fd_bias) summary.add_scalar("metrics/fd_bias", *record.fd_bias);
  if (record.fd_repeat) summary.add_scalar("metrics/fd_repeat", *record.fd_repeat);
  return summary;
}

EventSummary summary_of(const DiagnosticsRecord& record) {
  EventSummary summary;
  for (const auto& layer : record.layers) {
    summary.add_scalar((layer.is_dead_kind() ? "dead/" : "always_negative/") + layer.name, layer.never_positive);
    summary.add_scalar("always_positive/" + layer.name, layer.always_positive);
    summary.add_scalar("dormant/" + layer.name, layer.dormant);
    summary.add_scalar("negative_fraction/" + layer.name, layer.negative_fraction);
    summary.add_scalar("slope_energy/" + layer.name, layer.slope_energy);
  }
  for (const auto& parameter : record.parameters) {
    summary.add_scalar("parameter_gradient_norm/" + parameter.name, parameter.gradient_norm);
    summary.add_scalar("parameter_zero_gradients/" + parameter.name, parameter.zero_gradients);
    summary.add_scalar("parameter_update_ratio/" + parameter.name, parameter.update_ratio);
  }
  summary.add_scalar("accuracy/train", record.accuracy_train);
  if (record.accuracy_held_out) summary.add_scalar("accuracy/held_out", *record.accuracy_held_out);
  summary.add_scalar("accuracy/fake", record.accuracy_fake);
  summary.add_scalar("discriminator/margin", record.margin);
  summary.add_scalar("discriminator/image_gradient_norm", record.image_gradient_norm);
  summary.add_scalar("images/diversity", record.diversity);
  summary.add_scalar("images/saturated_real", record.saturated_real);
  summary.add_scalar("images/saturated_fake", record.saturated_fake);
  return summary;
}

}  // namespace slopegan
