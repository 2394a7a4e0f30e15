#pragma once

#include <string>
#include <string_view>

#include "run/records.h"
#include "support/histogram.h"

namespace slopegan {

/// What TensorBoard shows of one moment: values with tags, of which the part before the first slash is a group. It is
/// TensorFlow's message Summary (tensorflow/core/framework/summary.proto).
class EventSummary {
 public:
  /// Shown as float32.
  void add_scalar(std::string_view tag, double value);
  /// `png`: the encoded image.
  void add_image(std::string_view tag, std::string_view png, int width, int height, int channels);
  void add_histogram(std::string_view tag, const Histogram& histogram);

  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

/// The records of the JSONL files as scalars: all of their figures but for what the wall time of an event tells.
EventSummary summary_of(const HistoryRecord& record);
EventSummary summary_of(const MetricsRecord& record);
EventSummary summary_of(const DiagnosticsRecord& record);

}  // namespace slopegan
