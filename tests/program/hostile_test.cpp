#include <algorithm>
#include <unistd.h>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "config/bad_configs.h"
#include "data/bad_data.h"
#include "program.h"
#include "run/checkpoint.h"
#include "slow_check.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Returns at most `count` of the values, evenly spaced.
template <class Item>
std::vector<Item> some_of(const std::vector<Item>& all, int count) {
  const std::size_t wanted = std::min(all.size(), static_cast<std::size_t>(count));
  std::vector<Item> some;
  for (std::size_t i = 0; i < wanted; ++i) some.push_back(all[i * all.size() / wanted]);
  return some;
}

class HostileSlowCheck : public ProgramTest {
 protected:
  void expect_printable(const Result& result) const {
    EXPECT_EQ(printable_lines(result.out), result.out);
    EXPECT_EQ(printable_lines(result.err), result.err);
  }
};

TEST_F(HostileSlowCheck, BadConfigurationsAreRejectedWithTheirLocationAndAHint) {
  auto all = bad_configs();
  for (auto& bad : hostile_yaml()) all.push_back(std::move(bad));
  all = some_of(all, check_count(5, 120));
  for (const auto& bad : all) {
    SCOPED_TRACE(printable(bad.what));
    const auto file = directory_.write("bad.yaml", bad.text);
    const auto result = slopegan({"train", file.string(), "--dry-run"});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, StartsWith(format_text("slopegan: {}:{}: ", file.string(), bad.line)));
    EXPECT_THAT(result.err, HasSubstr(bad.hint));
    expect_printable(result);
  }
  report_check(format_text("{} bad configurations given to the real program", all.size()),
               "exit code 2 and file:line for each");
}

TEST_F(HostileSlowCheck, BadArgumentsAreRejectedWithAHint) {
  auto all = bad_overrides();
  std::erase_if(all, [](const auto& bad) { return bad.argument.empty(); });
  all = some_of(all, check_count(3, 60));
  for (const auto& bad : all) {
    SCOPED_TRACE(printable(bad.argument));
    const auto result = slopegan(smoke("train", {"--dry-run", bad.argument}));
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, StartsWith("slopegan: command line: '" + printable(bad.argument) + "': "));
    EXPECT_THAT(result.err, HasSubstr(bad.hint));
    expect_printable(result);
  }
  report_check(format_text("{} bad key=value arguments given to the real program", all.size()), "exit code 2 for each");
}

TEST_F(HostileSlowCheck, BadDataIsRejectedWithItsFileNameAndTakesLittleMemory) {
  const auto describe = [&](const std::string& kind, const std::filesystem::path& path) {
    return slopegan({"data", config_file("smoke.yaml"), "data.kind=" + kind, "data.path=" + path.string(), "--out",
                     "/dev/null/no.png"});
  };
  const auto good = directory_ / "good";
  std::filesystem::create_directory(good);
  write_good_idx(good);
  const auto normal = describe("idx", good);
  EXPECT_EQ(normal.code, 6);  // the data is valid, but the picture cannot be written
  auto all = bad_data_sets();
  if (::geteuid() == 0) std::erase_if(all, [](const auto& bad) { return bad.is_good_for_root; });
  all = some_of(all, check_count(10, 1000));
  double max_mib = 0;
  for (const auto& bad : all) {
    SCOPED_TRACE(bad.what);
    const TemporaryDirectory data;
    bad.write(data.path());
    const auto result = describe(bad.kind, data / bad.path);
    EXPECT_EQ(result.code, 3);
    EXPECT_THAT(result.err, HasSubstr(bad.file));
    EXPECT_LE(result.peak_mib, normal.peak_mib + 256);
    max_mib = std::max(max_mib, result.peak_mib - normal.peak_mib);
    expect_printable(result);
  }
  report_check(format_text("{} bad data sets given to the real program", all.size()),
               format_text("exit code 3 and file name for each; at most {:.0f} MiB above normal", max_mib));
}

class Hostile : public HostileSlowCheck {};

TEST_F(Hostile, ControlCharactersInFileNamesAreNotPrinted) {
  const std::string name = "\x1b[2J\x07\r\x9b\xff";
  const std::string long_name = name + std::string(300, 'x');  // longer than a file name may be
  const auto folder = directory_ / name;
  std::filesystem::create_directory(folder);
  const std::vector<std::pair<int, std::vector<std::string>>> commands = {
      {2, {"train", name}},
      {2, {name}},
      {2, {"sweep", config_file("smoke.yaml"), "--shard", name}},
      {2, smoke("train", {"run.output_dir=" + folder.string()})},
      {4, smoke("train", {"--resume", folder.string()})},
      {4, {"grid", folder.string()}},
      {6, {"grid", long_name}},
  };
  for (const auto& [code, arguments] : commands) {
    SCOPED_TRACE(printable(join(arguments, " ")));
    const auto result = slopegan(arguments);
    EXPECT_EQ(result.code, code);
    EXPECT_FALSE(result.err.empty());
    expect_printable(result);
  }
}

TEST_F(Hostile, NothingIsWrittenIfTheRunDirectoryIsASymlink) {
  const auto elsewhere = directory_ / "elsewhere";
  std::filesystem::create_directories(outputs());
  std::filesystem::create_directory(elsewhere);
  std::filesystem::create_symlink(elsewhere, outputs() / "smoke");
  for (const char* command : {"train", "sweep"}) {
    const auto result = slopegan(smoke(command));
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("is a symlink"));
    EXPECT_TRUE(std::filesystem::is_empty(elsewhere));
  }
}

TEST_F(Hostile, GridRejectsASweepWithoutSeeds) {
  const auto sweep = directory_ / "sweep";
  std::filesystem::create_directory(sweep);
  directory_.write("sweep/sweep.yaml", "sweep: {seeds: [], negative_slope: []}\n");
  const auto result = slopegan({"grid", sweep.string()});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("sweep.seeds is empty"));
}

TEST_F(Hostile, InconsistentCheckpointsAreNotResumed) {
  const auto train = [&](const std::vector<std::string>& more) {
    auto arguments = smoke("train", {"training.precision=float32", "training.threads=1", "training.total_images=64"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  };
  ASSERT_EQ(train({}).code, 0);
  const auto other = train({"--resume", "auto", "generator.width=16", "discriminator.norm=none"});
  EXPECT_EQ(other.code, 4);
  EXPECT_THAT(other.err, HasSubstr("generator.width: 8 -> 16, discriminator.norm: batch -> none"));

  const auto checkpoints = outputs() / "smoke/checkpoints";
  auto checkpoint = load_checkpoint(checkpoints / "64");
  for (const auto& [images, steps] : {std::pair(-64L, 2L), std::pair(64L, -1L), std::pair(INT64_MAX, 2L)}) {
    checkpoint.tensors["counters"] = at::tensor({images, steps}, at::kLong);
    save_checkpoint(checkpoints, checkpoint.info, checkpoint.tensors, 2);
    const auto result = train({"--resume", "auto"});
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.err, HasSubstr("the manifest records 64 images"));
  }
}

}  // namespace
}  // namespace slopegan::testing
