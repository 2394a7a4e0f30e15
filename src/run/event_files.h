#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/event_summary.h"
#include "support/files.h"

namespace slopegan {

/// The TensorBoard event files of a run, events.out.tfevents.<number>.slopegan: records of TensorFlow's message Event
/// (tensorflow/core/util/event.proto) in the framing of TFRecord files, whose step is the number of images seen.
///
/// Every start of the run writes a file of its own, which sorts behind the older ones, and begins with the message that
/// makes TensorBoard forget what it read of later steps. What lies behind the checkpoint is cut off the older files as
/// well, so that a reader that knows nothing of that message, or comes later, finds no point lost or doubled.
class EventFiles {
 public:
  /// Nothing is created or changed. Throws IoError.
  explicit EventFiles(std::filesystem::path directory);

  /// Bytes of each file, by its name.
  std::map<std::string, std::uint64_t> sizes() const;

  /// Cuts the files to their sizes in `sizes` and removes those that are not in it. These files hold nothing that does
  /// not stand elsewhere: one that was lost or cut is warned about, not refused. Throws IoError.
  void cut_to(const std::map<std::string, std::uint64_t>& sizes);

  /// From now on events are written, of a run that stands at `images`; without it add() does nothing.
  void begin(std::int64_t images) { start_ = images; }
  bool is_on() const { return start_.has_value(); }

  /// Throws IoError; where the disk is full, nothing of the event stays.
  void add(std::int64_t images, const EventSummary& summary);

  /// Returns once all events are on the disk.
  void sync();

 private:
  std::vector<std::filesystem::path> files() const;
  void open_file();
  /// Completes the encoded message `event` by the wall time and the step.
  void append_event(std::string event, std::int64_t step);

  std::filesystem::path directory_;
  std::int64_t number_;                ///< of the file of this start
  std::optional<std::int64_t> start_;  ///< the images at which this start began
  std::optional<AppendFile> file_;     ///< made with the first event
};

/// A record of a TFRecord file: length, its checksum, `data`, its checksum.
std::string event_record(std::string_view data);

}  // namespace slopegan
