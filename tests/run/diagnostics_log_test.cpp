#include <cmath>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "run/records.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

DiagnosticsRecord diagnostics_example() {
  DiagnosticsRecord record;
  record.images = 20032;
  record.probes = 640;
  record.layers = {{"generator.block0", 0, 128, 10240, 0.25, 0.125, 0.5, 1.0 / 3, 0},
                   {"discriminator.block0", 0.2, 32, 20480, 1.0 / 7, 0, 0, 0.5, 0.04}};
  record.parameters = {{"generator.block0.conv.weight", 1e-30, 0.75, 0.001}};
  record.discriminator.accuracy_train = 0.9;
  record.discriminator.accuracy_held_out = 0.8;
  record.discriminator.accuracy_fake = 0.7;
  record.discriminator.margin = -2.5;
  record.discriminator.image_gradient_norm = 3.25;
  record.samples.diversity = 0.6;
  record.samples.saturated_real = 0.64;
  record.samples.saturated_fake = 0.01;
  record.sentinels = {"collapse"};
  record.seconds = 0.3;
  return record;
}

TEST(DiagnosticsLog, ReadsBackWhatWasWritten) {
  const TemporaryDirectory directory;
  auto without_test_split = diagnostics_example();
  without_test_split.discriminator.accuracy_held_out.reset();
  std::ofstream(directory / "d.jsonl") << diagnostics_text(diagnostics_example()) << "\n"
                                       << diagnostics_text(without_test_split) << "\n{\"half a li";
  EXPECT_EQ(read_diagnostics(directory / "d.jsonl"), (std::vector{diagnostics_example(), without_test_split}));
}

TEST(DiagnosticsLog, CallsUnitsDeadOnlyWhereTheSlopeIsZero) {
  const auto text = diagnostics_text(diagnostics_example());
  EXPECT_THAT(text, ::testing::HasSubstr(R"("values":10240,"dead":0.25)"));
  EXPECT_THAT(text, ::testing::HasSubstr(R"("values":20480,"always_negative":0.1428)"));
}

TEST(DiagnosticsLog, KeepsAValueThatIsNoNumber) {
  const TemporaryDirectory directory;
  auto record = diagnostics_example();
  record.parameters[0].update_ratio = std::numeric_limits<double>::infinity();
  std::ofstream(directory / "d.jsonl") << diagnostics_text(record) << "\n";
  EXPECT_TRUE(std::isnan(read_diagnostics(directory / "d.jsonl").front().parameters[0].update_ratio));
}

TEST(DiagnosticsLog, NamesTheLineThatIsNoRecord) {
  const TemporaryDirectory directory;
  for (const char* line : {R"({"images": "many"})", "[]", R"({"images": 1, "probes": 2, "layers": [3]})"}) {
    std::ofstream(directory / "d.jsonl") << diagnostics_text(diagnostics_example()) << "\n" << line << "\n";
    EXPECT_EQ(message_of<DataError>([&] { read_diagnostics(directory / "d.jsonl"); }),
              (directory / "d.jsonl").string() + ":2: this line is not a record of diagnostics");
  }
}

}  // namespace
}  // namespace slopegan
