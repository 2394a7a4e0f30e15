#include "run/event_files.h"

#include <gmock/gmock.h>

#include "run/event_reader.h"
#include "support/bytes.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

EventSummary loss(double value) {
  EventSummary summary;
  summary.add_scalar("loss", value);
  return summary;
}

std::vector<std::int64_t> steps_in(const TemporaryDirectory& directory) {
  std::vector<std::int64_t> steps;
  for (const auto& point : testing::event_points(directory.path())) steps.push_back(point.step);
  return steps;
}

TEST(EventFiles, MatchTensorFlowsFormat) {
  const TemporaryDirectory directory;
  EventFiles events(directory.path());
  events.begin(0);
  events.add(64, loss(0.5));
  const auto files = testing::event_files(directory.path());
  ASSERT_THAT(files, SizeIs(1));
  const auto records = testing::records_of(files[0]);
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_EQ(testing::field_of(records[0], testing::event_file_version).get_string(), "brain.Event:2");
  EXPECT_GT(testing::field_of(records[0], testing::event_wall_time).get_double(), 1.7e9);  // seconds since 1970
  const auto points = testing::event_points(directory.path());
  ASSERT_THAT(points, SizeIs(1));
  EXPECT_EQ(points[0].step, 64);
  EXPECT_EQ(points[0].tag, "loss");
  EXPECT_EQ(points[0].scalar, 0.5f);
}

// The record contains the length 1, its CRC, the byte and its CRC, as written by TensorFlow 2's TFRecordWriter
// (scripts/test_tensorboard.py reads complete files with TensorBoard).
TEST(EventFiles, FrameEachRecordWithItsLengthAndMaskedChecksums) {
  const std::string record = event_record("a");
  EXPECT_EQ(record.size(), 17u);
  EXPECT_EQ(record.substr(0, 8), std::string("\1\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record[12], 'a');
  // crc32c("a") = 0xc1d04330, rotated right by 15 bits, plus 0xa282ead8.
  EXPECT_EQ(little_endian(record.substr(13)), 0x28e46e78u);
}

TEST(EventFiles, AreNotCreatedWithoutEvents) {
  const TemporaryDirectory directory;
  EventFiles off(directory.path());
  off.add(64, loss(1));
  EXPECT_FALSE(off.is_on());
  EventFiles on(directory.path());
  on.begin(0);
  on.sync();
  EXPECT_THAT(testing::event_files(directory.path()), IsEmpty());
  EXPECT_THAT(on.sizes(), IsEmpty());
}

TEST(EventFiles, HaveNoDuplicatePointsAfterAResume) {
  const TemporaryDirectory directory;
  EventFiles first(directory.path());
  first.begin(0);
  first.add(64, loss(1));
  first.add(128, loss(2));
  const auto noted = first.sizes();
  EXPECT_THAT(noted, SizeIs(1));
  first.add(192, loss(3));
  EventFiles lost(directory.path());  // this start of the run wrote no checkpoint
  lost.truncate_to(noted);
  lost.begin(128);
  lost.add(192, loss(4));
  EventFiles second(directory.path());
  second.truncate_to(noted);
  second.begin(128);
  second.add(192, loss(3));
  second.add(256, loss(4));
  EXPECT_THAT(steps_in(directory), ElementsAre(64, 128, 192, 256));
  const auto files = testing::event_files(directory.path());
  ASSERT_THAT(files, SizeIs(2));
  // A session that starts at step 129 makes TensorBoard discard the earlier point at step 192 if it was already read.
  const auto records = testing::records_of(files[1]);
  const auto session = testing::field_of(records[1], testing::event_session_log).get_string();
  EXPECT_EQ(testing::field_of(session, testing::session_log_status).get_enum(), 1);
  EXPECT_EQ(testing::field_of(records[1], testing::event_step).get_int64(), 129);
  EXPECT_THAT(second.sizes(), SizeIs(2));
}

TEST(EventFiles, SortAfterOlderFilesIfTheClockWasSetBack) {
  const TemporaryDirectory directory;
  const auto ahead = directory.write("events.out.tfevents.4000000000.slopegan", "");
  EventFiles events(directory.path());
  events.truncate_to({{ahead.filename().string(), 0}});
  events.begin(0);
  events.add(1, loss(1));
  EXPECT_THAT(testing::event_files(directory.path()),
              ElementsAre(ahead, directory / "events.out.tfevents.4000000001.slopegan"));
}

TEST(EventFiles, OfOtherProgramsAreKeptAndMissingOnesAreTolerated) {
  const TemporaryDirectory directory;
  directory.write("events.out.tfevents.1700000000.host.1.0", "x");
  directory.write("events.out.tfevents.1700000001.slopegan", "abc");
  EventFiles events(directory.path());
  events.truncate_to({{"events.out.tfevents.1700000001.slopegan", 5}, {"events.out.tfevents.1700000002.slopegan", 5}});
  EXPECT_EQ(events.sizes(), (std::map<std::string, std::uint64_t>{{"events.out.tfevents.1700000001.slopegan", 3u}}));
  events.truncate_to({});
  EXPECT_THAT(testing::event_files(directory.path()),
              ElementsAre(directory / "events.out.tfevents.1700000000.host.1.0"));
}

TEST(EventFiles, DoNotIncludeFilesWithNumbersThatThisProgramNeverWrites) {
  const TemporaryDirectory directory;
  for (const char* number : {"9223372036854775808", "-5", "1.5", "x", ""}) {
    directory.write(std::string("events.out.tfevents.") + number + ".slopegan", "x");
  }
  EventFiles events(directory.path());
  EXPECT_THAT(events.sizes(), IsEmpty());
  events.truncate_to({});
  events.begin(0);
  events.add(64, loss(1));
  EXPECT_THAT(events.sizes(), SizeIs(1));
  EXPECT_THAT(testing::event_files(directory.path()), SizeIs(6));
}

TEST(EventFiles, ContinueTheLastFileIfThereIsNoLargerNumber) {
  const TemporaryDirectory directory;
  const auto write = [&](const std::map<std::string, std::uint64_t>& sizes, std::int64_t images) {
    EventFiles events(directory.path());
    events.truncate_to(sizes);
    events.begin(images);
    events.add(images + 64, loss(1));
    return events.sizes();
  };
  directory.write("events.out.tfevents.9223372036854775806.slopegan", "");
  const auto first = write({{"events.out.tfevents.9223372036854775806.slopegan", 0}}, 0);
  ASSERT_TRUE(first.contains("events.out.tfevents.9223372036854775807.slopegan"));
  EXPECT_EQ(write(first, 64).size(), first.size());
  EXPECT_THAT(steps_in(directory), ElementsAre(64, 128));
}

TEST(EventSummary, WritesAHistogramWithGaps) {
  Histogram histogram;
  histogram.add(std::vector<float>{-1, 1, 1, 1.125f});
  EventSummary summary;
  summary.add_histogram("x", histogram);
  auto value = testing::field_of(summary.message(), testing::summary_value).get_message();
  ASSERT_TRUE(value.next(testing::value_histogram));
  auto fields = value.get_message();
  std::vector<std::vector<double>> lists;
  while (fields.next()) {
    if (fields.wire_type() == protozero::pbf_wire_type::fixed64) {
      lists.push_back({fields.get_double()});
    } else {
      const auto packed = fields.get_packed_double();
      lists.emplace_back(packed.begin(), packed.end());
    }
  }
  EXPECT_THAT(lists, ElementsAre(ElementsAre(-1), ElementsAre(1.125), ElementsAre(4), ElementsAre(2.125),
                                 ElementsAre(4.265625), ElementsAre(-1, 1, 1.125, 1.25), ElementsAre(1, 0, 2, 1)));
}

}  // namespace
}  // namespace slopegan
