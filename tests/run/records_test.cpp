#include "run/records.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "expect_error.h"
#include "support/errors.h"
#include "support/files.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

HistoryRecord example(std::int64_t images) {
  HistoryRecord record;
  record.images = images;
  record.step = images / 64;
  record.discriminator_loss = 0.1 + 0.2;
  record.generator_loss = 1.0 / 3;
  record.d_real = std::nextafter(1.0, 0.0);
  record.d_fake = 5e-324;
  record.generator_gradient_norm = 1e300;
  record.discriminator_gradient_norm = -0.0;
  record.seconds = 1e-7;
  record.images_per_second = 1013.25;
  record.memory_mib = 512;
  return record;
}

/// Returns the properties of a record's fields by key: the TensorBoard tag, in_results and may_be_absent.
template <Record R>
std::map<std::string, std::tuple<std::string, bool, bool>> listed_fields() {
  std::map<std::string, std::tuple<std::string, bool, bool>> fields;
  R record;
  R::visit_fields(record, [&](const Field& field, const auto&) {
    fields[field.key] = {field.tag == nullptr ? "" : field.tag, field.in_results, field.may_be_absent};
  });
  return fields;
}

TEST(Metrics, ListTheFieldsOfOtherExtractorsForTheFirstExtractorToo) {
  EXPECT_THAT(listed_fields<MetricsRecord>(), ::testing::IsSupersetOf(listed_fields<RulerFigures>()));
}

TEST(History, RoundTripsExactly) {
  const TemporaryDirectory directory;
  HistoryRecord with_slope = example(128);
  with_slope.generator_slope = 0.1;
  with_slope.discriminator_slope = 0.0;
  AppendFile file(directory / "history.jsonl");
  file.append_line(history_line(example(std::int64_t{1} << 60)));
  file.append_line(history_line(with_slope));
  EXPECT_THAT(read_history(directory / "history.jsonl"), ElementsAre(example(std::int64_t{1} << 60), with_slope));
}

TEST(History, HasAFixedFieldOrder) {
  HistoryRecord record;
  record.images = 64;
  EXPECT_EQ(history_line(record),
            R"({"images":64,"step":0,"discriminator_loss":0.0,"generator_loss":0.0,"d_real":0.0,"d_fake":0.0,)"
            R"("generator_gradient_norm":0.0,"discriminator_gradient_norm":0.0,)"
            R"("seconds":0.0,"images_per_second":0.0,"memory_mib":0.0})");
}

TEST(History, WritesNonFiniteNumbersAsNullAndReadsThemAsNaN) {
  const TemporaryDirectory directory;
  HistoryRecord record = example(64);
  record.discriminator_loss = std::numeric_limits<double>::infinity();
  record.generator_loss = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(history_line(record), HasSubstr(R"("discriminator_loss":null,"generator_loss":null)"));
  AppendFile(directory / "history.jsonl").append_line(history_line(record));
  const auto records = read_history(directory / "history.jsonl");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(std::isnan(records[0].discriminator_loss));
  EXPECT_TRUE(std::isnan(records[0].generator_loss));
  EXPECT_EQ(records[0].d_real, record.d_real);
}

TEST(History, SkipsAnIncompleteLastLine) {
  const TemporaryDirectory directory;
  const auto file = directory / "history.jsonl";
  const std::string line = history_line(example(64));
  for (const std::size_t size : {std::size_t{1}, line.size() / 2, line.size()}) {
    std::ofstream(file, std::ios::trunc) << line << '\n' << line.substr(0, size);
    EXPECT_THAT(read_history(file), ElementsAre(example(64)));
  }
  std::ofstream(file, std::ios::trunc).flush();
  EXPECT_TRUE(read_history(file).empty());
}

TEST(History, ReadsTheLastRecordWithoutTheOthers) {
  const TemporaryDirectory directory;
  const auto file = directory / "history.jsonl";
  const auto write = [&](const std::string& text) { std::ofstream(file, std::ios::binary) << text; };
  const std::string line = history_line(example(128)) + "\n";
  write(line);
  EXPECT_EQ(read_last_history(file), example(128));
  write("garbage\n" + std::string(3 << 20, 'x') + "\n" + line + "{\"images\": 19");
  EXPECT_EQ(read_last_history(file), example(128));
  for (const std::string& nothing : {std::string(), std::string("\n"), std::string("{\"images\": 19"),
                                     line + "garbage\n", line + std::string(3 << 20, ' ') + "\n"}) {
    write(nothing);
    EXPECT_EQ(read_last_history(file), std::nullopt) << nothing.substr(0, 20);
  }
  EXPECT_THROW(read_last_history(directory / "missing"), IoError);
}

TEST(History, NamesAMalformedLine) {
  const TemporaryDirectory directory;
  const auto file = directory / "history.jsonl";
  const std::string line = history_line(example(64));
  const auto with = [&](const std::string& from, const std::string& to) {
    return std::string(line).replace(line.find(from), from.size(), to);
  };
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string("\xff"),
        with(":64,", ":\"64\","), with(":64,", ":64.5,"), with(":64,", ":1e300,"), with(":64,", ":true,"),
        with(":64,", ":18446744073709551615,"), with(":512.0", ":true"), with(":512.0", ":\"512\""),
        with("{", "{\"more\":" + std::string(2000000, '['))}) {
    std::ofstream(file, std::ios::trunc) << line << '\n' << bad << '\n' << line << '\n';
    EXPECT_EQ(message_of<DataError>([&] { read_history(file); }),
              file.string() + ":2: this line is not a valid history record");
  }
  EXPECT_THROW(read_history(directory / "missing"), IoError);
}

MetricsRecord metrics_example() {
  MetricsRecord record;
  record.images = 60000;
  record.extractor = "classifier-x@1a2b";
  record.features = 64;
  record.real_samples = 50000;
  record.real_subset = 10000;
  record.samples = 10000;
  record.values = {{"fd", 1.0 / 3}, {"kd", -1e-17}};
  record.floors = {{"fd", 0.02}};
  record.floor_samples = 9000;
  record.fd_bias = 0.01;
  record.fd_repeat = 0.34;
  record.seconds = 2.5;
  return record;
}

TEST(WholeNetwork, WeightsByUnitsAndValues) {
  // The discriminator without batch norm at slope 0 in the study: 2.4 % of its units were dead, and 28 % of its
  // pre-activations were negative. The unweighted means over the layers are 1.4 % and 20 %.
  const auto layer = [](const char* name, std::int64_t units, std::int64_t values, double dead, double negative) {
    LayerDiagnosis diagnosis;
    diagnosis.name = name;
    diagnosis.units = units;
    diagnosis.values = values;
    diagnosis.never_positive = dead;
    diagnosis.negative_fraction = negative;
    return diagnosis;
  };
  const std::vector<LayerDiagnosis> layers = {
      layer("generator.block0", 128, 16, 1, 1), layer("discriminator.block0", 32, 256, 0, 0.4339),
      layer("discriminator.block1", 64, 64, 0, 0.0443), layer("discriminator.block2", 128, 16, 0.042, 0.1353)};
  const auto whole = whole_network(layers, "discriminator");
  EXPECT_EQ(whole.units, 224);
  EXPECT_NEAR(whole.never_positive, 0.024, 1e-9);
  EXPECT_NEAR(whole.negative_fraction, 0.28, 0.001);
  EXPECT_EQ(whole_network({}, "generator").units, 0);
}

TEST(WholeNetwork, HasASlopeOnlyIfAllLayersHaveTheSameSlope) {
  std::vector<LayerDiagnosis> layers(3);
  for (auto& layer : layers) {
    layer.name = "generator.block";
    layer.units = 8;
    layer.negative_slope = 0.1;
  }
  EXPECT_EQ(whole_network(layers, "generator").negative_slope, 0.1);
  layers[1].negative_slope = 0;
  EXPECT_TRUE(std::isnan(whole_network(layers, "generator").negative_slope));
}

TEST(MetricsRecord, IsTheLastRecordWithinTheGivenNumberOfBytes) {
  const TemporaryDirectory directory;
  const auto file = directory / "m.jsonl";
  auto later = metrics_example();
  later.images *= 2;
  const std::string first = metrics_line(metrics_example()) + "\n";
  std::ofstream(file) << first << metrics_line(later) << "\n";
  EXPECT_EQ(read_last_metrics(file), later);
  EXPECT_EQ(read_last_metrics(file, first.size()), metrics_example());
  EXPECT_EQ(read_last_metrics(file, first.size() - 1), std::nullopt);
  EXPECT_EQ(read_last_metrics(file, 1'000'000), later);
}

TEST(MetricsRecord, RoundTrips) {
  const TemporaryDirectory directory;
  auto without_repeat = metrics_example();
  without_repeat.fd_repeat.reset();
  without_repeat.fd_bias.reset();
  std::ofstream(directory / "m.jsonl") << metrics_line(metrics_example()) << "\n"
                                       << metrics_line(without_repeat) << "\n{\"half a li";
  EXPECT_EQ(read_metrics(directory / "m.jsonl"), (std::vector{metrics_example(), without_repeat}));
}

TEST(MetricsRecord, KeepsTheMetricsOfOtherExtractors) {
  const TemporaryDirectory directory;
  auto record = metrics_example();
  EXPECT_FALSE(nlohmann::json::parse(metrics_line(record)).contains("others"));
  record.others.emplace_back();
  record.others[0].extractor = "efficientnet-lite0-128@7880d583";
  record.others[0].values = {{"fd", 82.5}};
  std::ofstream(directory / "m.jsonl") << metrics_line(record) << "\n";
  EXPECT_EQ(read_metrics(directory / "m.jsonl"), std::vector{record});
}

TEST(MetricsRecord, KeepsTheAccuracyOfTheClassifier) {
  const TemporaryDirectory directory;
  auto record = metrics_example();
  EXPECT_FALSE(nlohmann::json::parse(metrics_line(record)).contains("classifier"));
  record.classifier = ClassifierAccuracy{0.49, 0.5, 200};
  record.others.emplace_back();
  record.others[0].classifier = ClassifierAccuracy{0.9, 0.1, 100};
  std::ofstream(directory / "m.jsonl") << metrics_line(record) << "\n";
  EXPECT_EQ(read_metrics(directory / "m.jsonl"), std::vector{record});
}

TEST(UnrelatedLabelsText, ExistsIfTheClassifierIsNoBetterThanGuessing) {
  RulerFigures figures;
  EXPECT_FALSE(unrelated_labels_text(figures));  // unknown
  figures.classifier = ClassifierAccuracy{0.57, 0.5, 200};
  EXPECT_EQ(unrelated_labels_text(figures),
            "The labels seem to be unrelated to the images: the classifier whose features the metrics use has an "
            "accuracy of 57.0 % on images that it was not trained on, compared with 50.0 % for guessing the most "
            "frequent label. With data.labels: none, the metrics do not use the labels.");
  figures.classifier->accuracy = 0.58;
  EXPECT_FALSE(unrelated_labels_text(figures));
  figures.classifier->accuracy = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(unrelated_labels_text(figures));
  figures.classifier = ClassifierAccuracy{};
  EXPECT_FALSE(unrelated_labels_text(figures));
}

TEST(MetricsRecord, ReadsALineFromVersion0_9) {
  const TemporaryDirectory directory;
  directory.write("m.jsonl",
                  R"({"images":640,"extractor":"x@1","samples":100,"values":{"fd":2.5},"floors":{},"floor_samples":0,)"
                  R"("seconds":0.5})"
                  "\n");
  const auto record = read_metrics(directory / "m.jsonl").front();
  EXPECT_EQ(record.values.at("fd"), 2.5);
  EXPECT_TRUE(record.others.empty());
  EXPECT_FALSE(has_few_images(record, record.samples));  // unknown
}

TEST(HasFewImages, ComparesTheSmallerSetWithTheNumberOfFeatures) {
  auto record = metrics_example();
  record.features = 1280;
  EXPECT_FALSE(has_few_images(record, 6400));
  EXPECT_TRUE(has_few_images(record, 6399));
  EXPECT_TRUE(is_bias_reliable(record, 2560));
  EXPECT_FALSE(is_bias_reliable(record, 2559));
  record.real_samples = 3000;
  EXPECT_TRUE(has_few_images(record, 10000));
}

TEST(IsMostlyBias, DependsOnFdBiasUnlessItIsUnreliable) {
  auto record = metrics_example();
  record.features = 64;
  record.real_samples = 300;
  record.values["fd"] = 70;
  record.fd_bias = 0.5;
  EXPECT_FALSE(is_mostly_bias(record, 300));
  record.fd_bias = 36;
  EXPECT_TRUE(is_mostly_bias(record, 300));
  record.fd_bias = 0.5;
  EXPECT_TRUE(is_mostly_bias(record, 127));  // fewer than twice as many images as features: fd_bias is too small
  record.fd_bias.reset();
  EXPECT_FALSE(is_mostly_bias(record, 300));
  record.real_samples = 320;
  record.fd_bias = 36;
  EXPECT_FALSE(is_mostly_bias(record, 320));  // five images per feature are enough
}

TEST(MetricsRecord, ReadsANonFiniteValueAsNaN) {
  const TemporaryDirectory directory;
  auto record = metrics_example();
  record.values["fd"] = std::numeric_limits<double>::infinity();
  std::ofstream(directory / "m.jsonl") << metrics_line(record) << "\n";
  EXPECT_TRUE(std::isnan(read_metrics(directory / "m.jsonl").front().values.at("fd")));
}

TEST(MetricsRecord, NamesAMalformedLine) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "m.jsonl") << metrics_line(metrics_example()) << "\n{\"images\": \"many\"}\n";
  EXPECT_EQ(message_of<DataError>([&] { read_metrics(directory / "m.jsonl"); }),
            (directory / "m.jsonl").string() + ":2: this line is not a valid metrics record");
  auto json = nlohmann::json::parse(metrics_line(metrics_example()));
  json["values"] = 1;
  std::ofstream(directory / "m.jsonl") << json.dump() << '\n';
  EXPECT_THROW(read_metrics(directory / "m.jsonl"), DataError);
}

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

TEST(DiagnosticsRecord, RoundTrips) {
  const TemporaryDirectory directory;
  auto without_test_split = diagnostics_example();
  without_test_split.discriminator.accuracy_held_out.reset();
  std::ofstream(directory / "d.jsonl") << diagnostics_text(diagnostics_example()) << "\n"
                                       << diagnostics_text(without_test_split) << "\n{\"half a li";
  EXPECT_EQ(read_diagnostics(directory / "d.jsonl"), (std::vector{diagnostics_example(), without_test_split}));
}

TEST(DiagnosticsRecord, CallsUnitsDeadOnlyIfTheSlopeIsZero) {
  const auto text = diagnostics_text(diagnostics_example());
  EXPECT_THAT(text, HasSubstr(R"("values":10240,"dead":0.25)"));
  EXPECT_THAT(text, HasSubstr(R"("values":20480,"always_negative":0.1428)"));
}

TEST(DiagnosticsRecord, ReadsANonFiniteValueAsNaN) {
  const TemporaryDirectory directory;
  auto record = diagnostics_example();
  record.parameters[0].update_ratio = std::numeric_limits<double>::infinity();
  std::ofstream(directory / "d.jsonl") << diagnostics_text(record) << "\n";
  EXPECT_TRUE(std::isnan(read_diagnostics(directory / "d.jsonl").front().parameters[0].update_ratio));
}

TEST(DiagnosticsRecord, NamesAMalformedLine) {
  const TemporaryDirectory directory;
  for (const char* line : {R"({"images": "many"})", "[]", R"({"images": 1, "probes": 2, "layers": [3]})"}) {
    std::ofstream(directory / "d.jsonl") << diagnostics_text(diagnostics_example()) << "\n" << line << "\n";
    EXPECT_EQ(message_of<DataError>([&] { read_diagnostics(directory / "d.jsonl"); }),
              (directory / "d.jsonl").string() + ":2: this line is not a valid diagnostics record");
  }
}

}  // namespace
}  // namespace slopegan
