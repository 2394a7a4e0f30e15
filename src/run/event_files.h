#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/records.h"
#include "support/files.h"
#include "support/histogram.h"

/// TensorBoard event files.
namespace slopegan {

/// The values for one step, encoded as a TensorFlow Summary message (tensorflow/core/framework/summary.proto).
/// TensorBoard groups tags by the part before the first slash.
class EventSummary {
 public:
  /// The value is stored as float32.
  void add_scalar(std::string_view tag, double value);
  /// `png` is the encoded image.
  void add_image(std::string_view tag, std::string_view png, int width, int height, int channels);
  void add_histogram(std::string_view tag, const Histogram& histogram);

  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

/// Returns the fields of a record that have a tag, as scalars.
EventSummary summary_of(const HistoryRecord& record);
EventSummary summary_of(const MetricsRecord& record);
EventSummary summary_of(const DiagnosticsRecord& record);

/// The event files of a run, events.out.tfevents.<number>.slopegan. They contain TensorFlow's Event messages
/// (tensorflow/core/util/event.proto), framed as in TFRecord files. The step of an event is the number of images.
///
/// Each start of a run creates a new file, whose name sorts after those of the older files. A message at the beginning
/// of the file makes TensorBoard discard those events from older files that it has already read and that come after the
/// checkpoint. In addition, the older files are truncated to their sizes at the checkpoint, so that readers that ignore
/// this message, or start to read later, see each point exactly once.
class EventFiles {
 public:
  /// Finds the event files in the directory without creating or changing any file. Throws IoError.
  explicit EventFiles(std::filesystem::path directory);

  /// Returns the size of each file in bytes, keyed by file name.
  std::map<std::string, std::uint64_t> sizes() const;

  /// Truncates the files to `sizes`, and removes the files that are not listed. A missing or shorter file only causes a
  /// warning, because other files of the run contain the same data, except for the histograms. Throws IoError.
  void truncate_to(const std::map<std::string, std::uint64_t>& sizes);

  /// Starts writing for a run that has seen `images` images. Before this call, add() does nothing.
  void begin(std::int64_t images) { start_ = images; }
  bool is_on() const { return start_.has_value(); }

  /// Appends an event. Throws IoError; if the disk is full, no part of the event is kept.
  void add(std::int64_t images, const EventSummary& summary);

  /// Flushes all events to the disk (fsync).
  void sync();

 private:
  std::vector<std::filesystem::path> files() const;
  void open_file();
  /// Appends the encoded message `event` with the wall time and the step.
  void append_event(std::string event, std::int64_t step);

  std::filesystem::path directory_;
  std::int64_t number_;                ///< the number in the name of the new file
  std::optional<std::int64_t> start_;  ///< the number of images at begin()
  std::optional<AppendFile> file_;     ///< created with the first event
};

/// Returns a record for a TFRecord file: the length of `data`, the checksum of the length, `data`, and the checksum of
/// `data`.
std::string event_record(std::string_view data);

}  // namespace slopegan
