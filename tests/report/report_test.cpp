#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "config/print.h"
#include "expect_error.h"
#include "images/image_file.h"
#include "report/pictures.h"
#include "run/records.h"
#include "run/run_directory.h"
#include "run/run_info.h"
#include "statistics/race_json.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string content_of(const std::filesystem::path& file) { return read_file(file, std::size_t{1} << 30); }

/// Incompressible noise in 4 × 8 colour tiles of 64 × 64 pixels.
cv::Mat noise_grid(int seed) {
  cv::Mat grid(4 + 4 * (64 + 4), 4 + 8 * (64 + 4), CV_8UC3);
  cv::RNG random(static_cast<std::uint64_t>(seed) + 1);
  random.fill(grid, cv::RNG::UNIFORM, 0, 256);
  return grid;
}

Config small_config() {
  Config config;
  config.data.resolution = 64;
  config.samples.rows = 4;
  config.samples.columns = 8;
  config.training.total_images = 100'000;
  return config;
}

MetricsRecord metrics_after(std::int64_t images, double fd, double kd) {
  MetricsRecord record;
  record.images = images;
  record.extractor = "random@1";
  record.samples = 1000;
  record.values = {{"fd", fd}, {"kd", kd}};
  return record;
}

void write_logs(const RunPaths& run, int lines) {
  std::string history, metrics, diagnostics;
  for (int i = 1; i <= lines; ++i) {
    HistoryRecord record;
    record.images = i * 100;
    record.discriminator_loss = 1.0 / i;
    record.generator_loss = i % 7;
    record.d_real = 0.7;
    record.d_fake = 0.3;
    record.generator_gradient_norm = 3 + i % 5;
    record.discriminator_gradient_norm = 2;
    history += history_line(record) + "\n";
  }
  for (int i = 1; i <= 20; ++i) {
    metrics += metrics_line(metrics_after(i * 5000, 100.0 / i, 1.0 / i)) + "\n";
    DiagnosticsRecord look;
    look.images = i * 5000;
    for (const char* name : {"generator.block0", "generator.block1", "discriminator.block0", "discriminator.block1"}) {
      look.layers.push_back({.name = name, .units = 64, .values = 10, .never_positive = 0.5, .negative_fraction = 0.4});
      look.parameters.push_back({std::string(name) + ".conv.weight", 1.5, 0, 0.1});
    }
    diagnostics += diagnostics_text(look) + "\n";
  }
  write_file_atomic(run.history_file(), history);
  write_file_atomic(run.metrics_file(), metrics);
  write_file_atomic(run.diagnostics_file(), diagnostics);
}

struct MadeRun {
  Config config = small_config();
  RunStatus status = RunStatus::done;
  int history_lines = 50;
  int pictures = 2;
};

void make_run(const std::filesystem::path& directory, const MadeRun& made = {}) {
  const RunPaths run(directory);
  make_directories(run.samples_dir());
  write_file_atomic(run.config_file(), to_yaml(made.config));
  RunInfo info;
  info.status = made.status;
  info.argv = {"slopegan", "train", "it's.yaml"};
  info.versions = {"0.1.0", "2.13.0", "4.6.0", "GCC", "0123456789ab"};
  write_run_info(run.run_info_file(), info);
  write_logs(run, made.history_lines);
  for (int i = 1; i <= made.pictures; ++i) write_png(run.samples_file(i * 1000), noise_grid(i));
  if (made.pictures > 0) write_png(run.reals_file(), noise_grid(0));
}

/// Writes a sweep of `slopes` × `seeds` arms. All files of an arm except config.yaml are symlinks to the files of one
/// run.
void make_sweep(const std::filesystem::path& directory, int slopes, int seeds, const MadeRun& model) {
  Config config = model.config;
  config.run.name = "many";
  config.sweep.negative_slope.clear();
  config.sweep.seeds.clear();
  for (int i = 0; i < slopes; ++i) config.sweep.negative_slope.push_back(i / 10.0);
  for (int i = 0; i < seeds; ++i) config.sweep.seeds.push_back(i);
  make_directories(directory / "runs");
  write_file_atomic(directory / "sweep.yaml", to_yaml(config));
  make_run(directory / "model", model);
  for (const double slope : config.sweep.negative_slope) {
    for (const auto seed : config.sweep.seeds) {
      Config arm = model.config;
      arm.run.name = "slope_" + shortest(slope) + "-seed_" + std::to_string(seed);
      arm.seed = seed;
      arm.generator.negative_slope = NegativeSlope(slope);
      arm.discriminator.negative_slope = NegativeSlope(slope);
      const auto place = directory / "runs" / arm.run.name;
      make_directories(place);
      for (const auto& entry : entries_of(directory / "model")) {
        if (entry.filename() == "config.yaml") continue;
        std::filesystem::create_symlink(entry, place / entry.filename());
      }
      write_file_atomic(place / "config.yaml", to_yaml(arm));
    }
  }
}

TEST(Report, OfARunHasAllSectionsAndIsWrittenToItsDirectory) {
  const TemporaryDirectory directory;
  make_run(directory / "run");
  const auto file = write_report(directory / "run");
  EXPECT_EQ(file, directory / "run" / "report.html");
  const std::string page = content_of(file);
  for (const char* id : {"pictures", "scores", "training", "layers", "config", "reproduce"}) {
    EXPECT_THAT(page, HasSubstr("<section id=\"" + std::string(id) + "\""));
  }
  EXPECT_THAT(page, Not(HasSubstr("<section id=\"notes\"")));
  EXPECT_THAT(page, HasSubstr("slopegan train &#39;it&#39;\\&#39;&#39;s.yaml&#39;"));  // quoted for a shell
}

TEST(Report, IsWrittenToTheRequestedFile) {
  const TemporaryDirectory directory;
  make_run(directory / "run", {.pictures = 0});
  EXPECT_EQ(write_report(directory / "run", directory / "x.html"), directory / "x.html");
  EXPECT_FALSE(std::filesystem::exists(directory / "run" / "report.html"));
  EXPECT_THAT(content_of(directory / "x.html"), HasSubstr("</html>"));
}

TEST(Report, RejectsDirectoriesThatAreNeitherRunNorSweep) {
  const TemporaryDirectory directory;
  EXPECT_THAT(message_of<UsageError>([&] { write_report(directory.path()); }),
              HasSubstr("is neither a run nor a sweep: it contains neither config.yaml nor sweep.yaml"));
  EXPECT_EQ(try_write_report(directory.path()), std::nullopt);  // only logs a warning
}

TEST(Report, ListsDamagedFilesOfARun) {
  const TemporaryDirectory directory;
  make_run(directory / "run", {.pictures = 1});
  directory.write("run/history.jsonl", "{\"images\": 1\n{}\n");
  directory.write("run/run.json", "[]");
  directory.write("run/samples/1000.png", "not a picture");
  const std::string page = content_of(write_report(directory / "run"));
  EXPECT_THAT(page, HasSubstr("<section id=\"notes\""));
  EXPECT_THAT(page, HasSubstr("history.jsonl:1: this line is not a valid history record"));
  EXPECT_THAT(page, HasSubstr("run.json: not a JSON object"));
  EXPECT_THAT(page, HasSubstr("1000.png"));
  EXPECT_THAT(page, HasSubstr("<section id=\"scores\""));  // other sections are unaffected
}

TEST(Report, OfARunThatHasJustStartedIsValid) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "run");
  directory.write("run/config.yaml", to_yaml(small_config()));
  EXPECT_THAT(content_of(write_report(directory / "run")), HasSubstr("pending"));
}

TEST(Report, OfASweepListsFailedAndPendingArms) {
  const TemporaryDirectory directory;
  make_sweep(directory / "sweep", 2, 2, {.status = RunStatus::diverged, .pictures = 1});
  directory.write("sweep/model/log.txt",
                  "2026-01-01 00:00:00.000 info a\n2026-01-01 00:00:01.000 error the loss is <NaN>\n");
  for (const char* arm : {"slope_0-seed_0", "slope_0.1-seed_0", "slope_0.1-seed_1"}) {
    const auto link = directory / "sweep" / "runs" / arm / "log.txt";
    std::filesystem::create_symlink(directory / "sweep" / "model" / "log.txt", link);
  }
  remove_tree(directory / "sweep" / "runs" / "slope_0-seed_1");
  const std::string page = content_of(write_report(directory / "sweep"));
  EXPECT_THAT(page, HasSubstr("Failed arms"));
  EXPECT_THAT(page, HasSubstr("the loss is &lt;NaN&gt;"));
  EXPECT_THAT(page, HasSubstr(" 3 <span class=\"badge bad\">diverged</span>"));
  EXPECT_THAT(page, HasSubstr(" 1 <span class=\"badge open\">pending</span>"));
  EXPECT_THAT(page, HasSubstr("Not known yet"));  // no statistics.json
}

TEST(Report, OfASweepStartsWithTheAnswer) {
  const TemporaryDirectory directory;
  make_sweep(directory / "sweep", 2, 1, {.pictures = 1});
  directory.write(
      "sweep/statistics.json",
      R"({"recommendation": "Use <0.1>.", "findings": ["0.1 is <better>."], "answer": "", "notes": ["few seeds"],
    "metric": null, "control": 0, "slopes": [{"negative_slope": 0, "scored": 7}, {"negative_slope": 0.1, "scored": 7}], "methods": {}, "comparisons": [{"negative_slope": 0.1, "pairs": 7, "wins": 7,
    "median_ratio": 1.1, "mean_log_ratio": -0.22, "median_ratio_interval": [0.7, 0.9], "simultaneous_interval": [0, null], "p": 0.0156,
    "p_holm": 0.0156, "significant": true, "can_be_significant": true}]})");
  const std::string page = content_of(write_report(directory / "sweep"));
  const auto answer = page.find("Use &lt;0.1&gt;."), pictures = page.find("<section id=\"pictures\"");
  ASSERT_NE(answer, std::string::npos);
  const auto plot = page.find("<figure class=\"forest\"");
  EXPECT_LT(answer, plot);
  EXPECT_LT(plot, page.find("<li>0.1 is &lt;better&gt;.</li>"));
  EXPECT_LT(plot, pictures);
  EXPECT_THAT(page, HasSubstr("<td>better</td>"));
  EXPECT_THAT(page, HasSubstr(">0.7 … 0.9<"));
  EXPECT_THAT(page, HasSubstr(">0 … 1<"));  // unbounded, but cut at 1 because the verdict is "better"
}

TEST(Report, OfARaceWithoutArmsHasAnAnswerSection) {
  const TemporaryDirectory directory;
  make_sweep(directory / "sweep", 2, 5, {.pictures = 0});
  remove_tree(directory / "sweep" / "runs");
  RaceFile race;
  race.planned = {plan_race(0, {0.1}), 0, 100'000, 50'000, "random@1", 1000, "abc"};
  race.state = follow_race(race.planned.plan, {});
  write_file_atomic(directory / "sweep" / "race.json", race_json(race));
  EXPECT_THAT(content_of(write_report(directory / "sweep")), HasSubstr("<section id=\"answer\""));
}

TEST(Report, OfARunShowsTheLastErrorOnlyIfTheRunFailed) {
  const TemporaryDirectory directory;
  for (const auto& [name, status] : {std::pair("failed", RunStatus::failed), {"resumed", RunStatus::done}}) {
    make_run(directory / name, {.status = status, .pictures = 0});
    directory.write(std::string(name) + "/log.txt", "2026-01-01 00:00:01.000 error the disk is full\n");
  }
  EXPECT_THAT(content_of(write_report(directory / "failed")), HasSubstr("the disk is full"));
  EXPECT_THAT(content_of(write_report(directory / "resumed")), ::testing::Not(HasSubstr("the disk is full")));
}

TEST(Report, OfAFinishedRaceCountsTheArmsThatWereNotNeeded) {
  const TemporaryDirectory directory;
  make_sweep(directory / "sweep", 2, 5, {.pictures = 0});
  remove_tree(directory / "sweep" / "runs" / "slope_0.1-seed_4");
  RaceFile race;
  race.planned = {plan_race(0, {0.1}), 0, 100'000, 50'000, "random@1", 1000, "abc"};
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < 4; ++repeat) {
    const double jitter = 0.01 * static_cast<double>(repeat);
    arms.push_back({0, repeat, ArmOutcome::done, 10 + jitter, 10.0});
    arms.push_back({0.1, repeat, ArmOutcome::done, 8 + jitter, 8.0});
  }
  race.state = follow_race(race.planned.plan, arms);
  ASSERT_TRUE(race.state.is_over);
  write_file_atomic(directory / "sweep" / "race.json", race_json(race));
  const std::string page = content_of(write_report(directory / "sweep"));
  EXPECT_THAT(page, HasSubstr(" 1 <span class=\"badge open\">not needed</span>"));
  EXPECT_THAT(page, HasSubstr("Use slope 0.1. 0 is 25 % worse."));
  EXPECT_THAT(page, HasSubstr("<figure class=\"race\""));
}

TEST(Report, NamesCollapsedArmsAndExcludesThemFromMeans) {
  const TemporaryDirectory directory;
  make_sweep(directory / "sweep", 2, 2, {.pictures = 1});
  const auto arm = directory / "sweep" / "runs" / "slope_0.1-seed_1";
  std::filesystem::remove(arm / "diagnostics.jsonl");
  std::filesystem::remove(arm / "metrics.jsonl");
  DiagnosticsRecord look;
  look.images = 100'000;
  look.sentinels = {"collapse"};
  write_file_atomic(arm / "diagnostics.jsonl", diagnostics_text(look) + "\n");
  MetricsRecord record = metrics_after(100'000, 777, 1);
  record.real_samples = 60'000;
  record.real_subset = 1000;
  write_file_atomic(arm / "metrics.jsonl", metrics_line(record) + "\n");
  const std::string page = content_of(write_report(directory / "sweep"));
  EXPECT_THAT(page, HasSubstr("0.1, 1 of 2 collapsed"));
  EXPECT_THAT(page, HasSubstr("Means over the seeds that were trained to the end and did not fail, after 100"));
  EXPECT_THAT(page, HasSubstr("seed 1, collapsed"));
  EXPECT_THAT(page, HasSubstr("kd: 1000 of the 60000 real images."));
  EXPECT_THAT(page, HasSubstr("the generated images all look alike"));
  EXPECT_THAT(page, HasSubstr(" 1 <span class=\"badge bad\">collapsed</span>"));
}

TEST(Report, ExcludesFailedAndUnfinishedArmsFromMeans) {
  const TemporaryDirectory directory;
  make_sweep(directory / "sweep", 2, 3, {.pictures = 1});
  const MetricsRecord record = metrics_after(40'000, 777, 888);
  for (const auto& [seed, status] : {std::pair{1, RunStatus::diverged}, {2, RunStatus::running}}) {
    const auto arm = directory / "sweep" / "runs" / ("slope_0.1-seed_" + std::to_string(seed));
    for (const char* name : {"metrics.jsonl", "run.json"}) std::filesystem::remove(arm / name);
    write_file_atomic(arm / "metrics.jsonl", metrics_line(record) + "\n");
    RunInfo info;
    info.status = status;
    write_run_info(arm / "run.json", info);
  }
  const std::string page = content_of(write_report(directory / "sweep"));
  const auto row = page.find("0.1, 1 of 3 diverged, 1 of 3 running</th>");
  ASSERT_NE(row, std::string::npos);
  EXPECT_THAT(page.substr(row, page.find("</tr>", row) - row), HasSubstr(">5<"));  // the final FD of seed 0
  for (const char* label : {"seed 1, diverged after 40", "seed 2, running after 40"})
    EXPECT_THAT(page, HasSubstr(label));
}

TEST(Report, NamesTheNewDirectoryOfAMovedOrCopiedSweep) {
  const TemporaryDirectory directory;
  make_sweep(directory / "sweep", 1, 1, {.pictures = 0});
  const std::string file = (directory / "sweep" / "sweep.yaml").string();
  const std::string place = " run.output_dir=" + directory.path().string() + " run.name=sweep<";
  EXPECT_THAT(content_of(write_report(directory / "sweep")), HasSubstr("slopegan sweep " + file + place));
  Config config = small_config();
  config.run = {.name = "sweep", .output_dir = directory.path()};
  config.sweep.negative_slope = {0};
  write_file_atomic(file, to_yaml(config));
  EXPECT_THAT(content_of(write_report(directory / "sweep")), HasSubstr("slopegan sweep " + file + "<"));
}

TEST(Report, NamesTheNewDirectoryOfAMovedOrCopiedRun) {
  const TemporaryDirectory directory;
  const std::string parent = (directory / "some runs").string();
  make_run(parent + "/copy", {.pictures = 0});
  EXPECT_THAT(
      content_of(write_report(parent + "/copy")),
      HasSubstr("slopegan train &#39;" + parent + "/copy/config.yaml&#39; --resume auto &#39;run.output_dir=&quot;" +
                parent + "&quot;&#39; run.name=copy<"));
  MadeRun made;
  made.config.run = {.name = "run", .output_dir = directory.path()};
  make_run(directory / "run", made);
  EXPECT_THAT(content_of(write_report(directory / "run")), Not(HasSubstr("config.yaml --resume auto")));
}

TEST(Report, OfASweepNotesDamagedStatistics) {
  const TemporaryDirectory directory;
  make_sweep(directory / "sweep", 2, 1, {.pictures = 0});
  for (const char* text : {R"({"answer": 1})", R"({"answer": "", "alpha": -1})"}) {
    directory.write("sweep/statistics.json", text);
    EXPECT_THAT(content_of(write_report(directory / "sweep")), HasSubstr("statistics.json: damaged"));
  }
}

TEST(Report, Of80ArmsWithIncompressiblePicturesIsSmallerThan15Megabytes) {
  const TemporaryDirectory directory(memory_parent());
  make_sweep(directory / "sweep", 8, 10, {.history_lines = 1000, .pictures = 3});
  const auto file = write_report(directory / "sweep");
  const auto size = std::filesystem::file_size(file);
  EXPECT_LT(size, 15'000'000U);
  EXPECT_GT(size, 2'000'000U);  // contains pictures of all arms
  EXPECT_THAT(content_of(file), HasSubstr("The pictures show "));
}

TEST(ReportPictures, KeepTheOrderOfTiles) {
  const TemporaryDirectory directory;
  Config config = small_config();
  config.data.resolution = 32;
  config.samples = {.every_images = 1, .rows = 2, .columns = 3};
  cv::Mat grid(4 + 2 * (64 + 4), 4 + 3 * (64 + 4), CV_8UC1, cv::Scalar(255));
  for (int i = 0; i < 6; ++i) grid(cv::Rect(4 + i % 3 * 68, 4 + i / 3 * 68, 64, 64)) = cv::Scalar(40 * i);
  write_png(directory / "g.png", grid);
  const cv::Mat strip = picture(directory / "g.png", config.samples, 32, {1, 5});
  ASSERT_EQ(strip.size(), cv::Size(5 * 32, 32));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(strip.at<unsigned char>(16, i * 32 + 16), 40 * i);
  const cv::Mat block = picture(directory / "g.png", config.samples, 32, {2, 3});
  ASSERT_EQ(block.size(), cv::Size(96, 64));
  EXPECT_EQ(block.at<unsigned char>(48, 80), 200);
  config.samples.rows = 3;
  EXPECT_THAT(message_of<DataError>([&] { picture(directory / "g.png", config.samples, 32, {1, 5}); }),
              HasSubstr("not a grid with the configured number"));
}

TEST(ReportPictures, AreReadFromGridsOfAnySize) {
  const TemporaryDirectory directory;
  const SamplesConfig samples{.rows = 24, .columns = 32};  // more than 12 megapixels
  const cv::Mat grid(4 + 24 * (128 + 4), 4 + 32 * (128 + 4), CV_8UC1, cv::Scalar(40));
  write_png(directory / "grid.png", grid);
  EXPECT_EQ(picture(directory / "grid.png", samples, 128, {.rows = 1, .columns = 12}).size(), cv::Size(12 * 64, 64));
}

TEST(ReportPictures, NoteDamagedFilesOnlyForPointsThatAreShown) {
  const TemporaryDirectory directory;
  make_run(directory / "run", {.pictures = 2});
  // The files are not grids of the default configuration. The first point alone exceeds the budget.
  const auto notes = read_pictures({{directory / "run", small_config()}, {directory / "run", {}}}, {1, 4}, 1, 9).notes;
  EXPECT_THAT(notes, ::testing::ElementsAre(HasSubstr("2000.png: not a grid"), HasSubstr("1 of 2 points in training")));
}

TEST(ReportPictures, PreferTheLastAndTheFirstSamples) {
  const TemporaryDirectory directory;
  make_run(directory / "run", {.pictures = 9});
  const auto shown = [&](std::size_t max_times) {
    return read_pictures({{directory / "run", small_config()}}, {1, 4}, std::size_t{1} << 24, max_times).images;
  };
  EXPECT_EQ(shown(1), (std::vector<std::int64_t>{9000}));
  EXPECT_EQ(shown(2), (std::vector<std::int64_t>{1000, 9000}));
  EXPECT_EQ(shown(3), (std::vector<std::int64_t>{1000, 5000, 9000}));
  EXPECT_EQ(shown(24).size(), 9U);
}

}  // namespace
}  // namespace slopegan
