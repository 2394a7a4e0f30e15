#include "run/event_summary.h"

#include <string>
#include <utility>
#include <vector>

namespace slopegan {

namespace {

// The numbers of the fields in tensorflow/core/framework/summary.proto and histogram.proto.
namespace summary_field {
constexpr int value = 1;
}
namespace value_field {
constexpr int tag = 1, simple_value = 2, image = 4, histogram = 5;
}
namespace image_field {
constexpr int height = 1, width = 2, colorspace = 3, encoded_image_string = 4;
}
namespace histogram_field {
constexpr int min = 1, max = 2, num = 3, sum = 4, sum_squares = 5, bucket_limit = 6, bucket = 7;
}

}  // namespace

void EventSummary::add_value(std::string_view tag, ProtobufMessage value) {
  value.add_bytes(value_field::tag, tag);
  summary_.add_bytes(summary_field::value, value.bytes());
}

void EventSummary::add_scalar(std::string_view tag, double value) {
  ProtobufMessage message;
  message.add_float(value_field::simple_value, static_cast<float>(value));
  add_value(tag, std::move(message));
}

void EventSummary::add_image(std::string_view tag, std::string_view png, int width, int height, int channels) {
  ProtobufMessage image, message;
  image.add_integer(image_field::height, static_cast<std::uint64_t>(height));
  image.add_integer(image_field::width, static_cast<std::uint64_t>(width));
  image.add_integer(image_field::colorspace, static_cast<std::uint64_t>(channels));
  image.add_bytes(image_field::encoded_image_string, png);
  message.add_bytes(value_field::image, image.bytes());
  add_value(tag, std::move(message));
}

void EventSummary::add_histogram(std::string_view tag, const Histogram& histogram) {
  // A bucket begins where the one before it ends, so that a gap takes an empty bucket.
  std::vector<double> limits, counts;
  for (const auto& bucket : histogram.buckets()) {
    if (!limits.empty() && limits.back() != bucket.left) {
      limits.push_back(bucket.left);
      counts.push_back(0);
    }
    limits.push_back(bucket.right);
    counts.push_back(static_cast<double>(bucket.count));
  }
  ProtobufMessage numbers, message;
  numbers.add_double(histogram_field::min, histogram.min());
  numbers.add_double(histogram_field::max, histogram.max());
  numbers.add_double(histogram_field::num, static_cast<double>(histogram.count()));
  numbers.add_double(histogram_field::sum, histogram.sum());
  numbers.add_double(histogram_field::sum_squares, histogram.sum_of_squares());
  numbers.add_packed_doubles(histogram_field::bucket_limit, limits);
  numbers.add_packed_doubles(histogram_field::bucket, counts);
  message.add_bytes(value_field::histogram, numbers.bytes());
  add_value(tag, std::move(message));
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
