#include <filesystem>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "images/image_file.h"
#include "program.h"
#include "run/records.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Diagnose : public ProgramTest {
 protected:
  Result train(const std::string& name, const std::vector<std::string>& more = {}) {
    auto arguments = smoke("train", {"training.precision=float32", "training.threads=1", "training.total_images=640",
                                     "checkpoint.every_images=320", "diagnostics.probes=1000", "run.name=" + name});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
  std::filesystem::path run_dir(const std::string& name) const { return outputs() / name; }
};

TEST_F(Diagnose, DoesNotAffectTraining) {
  ASSERT_EQ(train("never", {"diagnostics.every_images=0"}).code, 0);
  ASSERT_EQ(train("often", {"diagnostics.every_images=160"}).code, 0);
  EXPECT_EQ(read_text(run_dir("never") / "diagnostics.jsonl"), "");
  const auto records = read_diagnostics(run_dir("often") / "diagnostics.jsonl");
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records.front().images, 160);
  EXPECT_EQ(records.back().images, 640);
  EXPECT_EQ(records.back().probes, 64);  // 1,000 values / 16 positions (4 x 4), rounded up to a multiple of 32
  EXPECT_TRUE(records.back().discriminator.accuracy_held_out.has_value());
  const auto state = [&](const char* name) { return read_text(run_dir(name) / "checkpoints/640/state.safetensors"); };
  EXPECT_TRUE(state("never") == state("often"));
}

TEST_F(Diagnose, AResumedRunWritesTheSameRecords) {
  const std::vector<std::string> often = {"diagnostics.every_images=160"};
  ASSERT_EQ(train("whole", often).code, 0);
  ASSERT_EQ(train("parts", {"diagnostics.every_images=160", "training.total_images=320"}).code, 0);
  ASSERT_EQ(train("parts", {"diagnostics.every_images=160", "--resume", "auto"}).code, 0);
  auto whole = read_diagnostics(run_dir("whole") / "diagnostics.jsonl");
  auto parts = read_diagnostics(run_dir("parts") / "diagnostics.jsonl");
  for (auto* records : {&whole, &parts}) {
    for (auto& record : *records) record.seconds = 0;
  }
  EXPECT_EQ(parts, whole);
}

TEST_F(Diagnose, ReproducesTheRecordOfTheRunFromItsCheckpoint) {
  ASSERT_EQ(train("run", {"generator.negative_slope=0"}).code, 0);
  const auto before = read_text(run_dir("run") / "checkpoints/640/state.safetensors");
  const auto result = slopegan({"diagnose", run_dir("run").string(), "--probes", "64"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("generator.block2"));
  EXPECT_THAT(result.err, HasSubstr("discriminator (all)"));
  EXPECT_THAT(result.err, HasSubstr("here, in fewer than 4.7 %"));  // 3 of 64
  EXPECT_THAT(result.err, HasSubstr("discriminator.block3.conv.weight"));
  const auto record = nlohmann::json::parse(result.out);
  EXPECT_EQ(record.at("images"), 640);
  const auto seen = read_diagnostics(run_dir("run") / "diagnostics.jsonl").back();
  ASSERT_EQ(record.at("layers").size(), seen.layers.size());
  EXPECT_EQ(record.at("layers")[0].at("dead"), seen.layers[0].never_positive);
  for (std::size_t i = 0; i < seen.layers.size(); ++i) {
    EXPECT_EQ(record.at("layers")[i].at("negative_fraction"), seen.layers[i].negative_fraction);
  }
  EXPECT_EQ(record.at("discriminator").at("accuracy_held_out"), seen.discriminator.accuracy_held_out.value());
  EXPECT_EQ(read_text(run_dir("run") / "checkpoints/640/state.safetensors"), before);
  const auto of_checkpoint = slopegan({"diagnose", (run_dir("run") / "checkpoints/320").string()});
  EXPECT_EQ(of_checkpoint.code, 0);
  EXPECT_EQ(nlohmann::json::parse(of_checkpoint.out).at("probes"), 5120);
}

TEST_F(Diagnose, ShowsNoSlopeForANetworkWhoseLayersHaveDifferentSlopes) {
  ASSERT_EQ(train("run", {"generator.negative_slope=[0, 0.1, 0.2]", "diagnostics.every_images=0"}).code, 0);
  const auto result = slopegan({"diagnose", run_dir("run").string(), "--probes", "64"});
  ASSERT_EQ(result.code, 0) << result.err;
  // Only units of the generator's first layer, whose slope is 0, can be dead. In the other layers, units that are never
  // positive are counted as always negative.
  EXPECT_THAT(result.err, ::testing::ContainsRegex("generator \\(all\\) +- +[0-9]+ +[0-9]+ +[0-9.]+ % +[0-9.]+ % "));
  EXPECT_THAT(result.err, ::testing::ContainsRegex("discriminator \\(all\\) +[0-9.]+ +[0-9]+ +[0-9]+ +- +[0-9.]+ % "));
}

TEST_F(Diagnose, ReportsMissingData) {
  ASSERT_EQ(train("run").code, 0);
  const auto missing = (directory_ / "nowhere").string();
  const auto result = slopegan({"diagnose", run_dir("run").string(), "--data", missing});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr(missing));
  EXPECT_EQ(slopegan({"diagnose", missing}).code, 4);
}

TEST_F(Diagnose, WorksWithVeryFewProbes) {
  ASSERT_EQ(train("run", {"training.batch_size=1", "training.total_images=8", "diagnostics.every_images=0"}).code, 0);
  for (const char* probes : {"1", "2", "3"}) {
    const auto result = slopegan({"diagnose", run_dir("run").string(), "--probes", probes});
    EXPECT_EQ(result.code, 0) << result.err;
  }
}

TEST_F(Diagnose, WarnsAboutDifferentData) {
  ASSERT_EQ(train("run").code, 0);
  const auto data = directory_ / "data";
  std::filesystem::create_directories(data);
  for (const std::string kind : {"images-idx3", "labels-idx1"}) {
    std::filesystem::copy("/usr/share/datasets/fashion-mnist/t10k-" + kind + "-ubyte.gz",
                          data / ("train-" + kind + "-ubyte.gz"));
  }
  const auto result = slopegan({"diagnose", run_dir("run").string(), "--data", data.string()});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("are not those that the run was trained on"));
  EXPECT_THAT(result.out, Not(HasSubstr("accuracy_held_out")));
}

class Demo : public ProgramTest {};

TEST_F(Demo, DyingReluPredictionsHoldAndThePlotIsDrawn) {
  const auto plot = directory_ / "new/plot.png";
  const auto result = slopegan({"demo", "dying-relu", "--out", plot.string(), "--seed", "3"});
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("3961 steps"));
  EXPECT_THAT(result.out, HasSubstr("bit-identical"));
  EXPECT_THAT(result.out, Not(HasSubstr("FAILS")));
  EXPECT_THAT(result.out, HasSubstr("simulated 0.8800"));  // this value has no closed form
  EXPECT_THAT(result.out, HasSubstr("simulated: few dead"));
  EXPECT_GT(read_image(plot).cols, 1000);
}

TEST_F(Demo, RejectsAMissingOrUnknownName) {
  EXPECT_EQ(slopegan({"demo"}).code, 2);
  EXPECT_EQ(slopegan({"demo", "dying-swan"}).code, 2);
}

}  // namespace
}  // namespace slopegan::testing
