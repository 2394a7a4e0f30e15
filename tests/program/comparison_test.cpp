#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string study(const std::string& name) { return SLOPEGAN_SOURCE_DIR "/outputs/study/" + name; }

/// Tests the comparison report with the sweeps of the study. The repository contains their results, but not the
/// directories of their arms.
class ComparisonReport : public ProgramTest {
 protected:
  std::string page_file() const { return directory_ / "pages" / "page.html"; }

  void expect_refusal(const std::vector<std::string>& arguments, const std::string& reason) {
    std::vector<std::string> all = {"report", "--out", page_file()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const auto result = slopegan(all);
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr(reason));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_FALSE(std::filesystem::exists(page_file()));
  }
};

TEST_F(ComparisonReport, ShowsTheSweepsOfTheStudyOnOnePage) {
  const auto result = slopegan({"report", study("study_fashion_mnist"), study("study_longer"),
                                study("study_no_batch_norm"), study("study_race"), "--out", page_file()});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, page_file() + "\n");
  const std::string page = read_text(page_file());
  for (const char* text :
       {"<h1>4 sweeps compared</h1>", "<figcaption>Slope 0.05</figcaption>", "download=\"comparison.csv\"",
        "alt=\"Images generated in sweep study_race", "<code>training.total_images</code>",
        "The effect of slope 0 depends on the sweep", "Slope 0.05 is better than 0.2 in 3 of 3 sweeps.",
        "FD[classifier-fashion-mnist@4919d300,n=10000] (study_longer)",
        "Use a slope between 0 and 0.05. The other 5 are worse or undecided."}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
  EXPECT_THAT(page, Not(HasSubstr("href=\"http")));
  EXPECT_THAT(page, Not(HasSubstr("src=\"http")));
  EXPECT_LT(page.size(), std::size_t{5} << 20);
}

TEST_F(ComparisonReport, IsWrittenToTheWorkingDirectoryByDefault) {
  const auto result = run(directory_.path(), {"report", study("study_longer"), study("study_race")}, [this] {
    if (::chdir(directory_.path().c_str()) != 0) ::_exit(126);
  });
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "comparison.html\n");
  EXPECT_THAT(read_text(directory_ / "comparison.html"), HasSubstr("<h1>2 sweeps compared</h1>"));
}

TEST_F(ComparisonReport, ShowsASweepWithoutResults) {
  const auto unfinished = directory_ / "unfinished";
  std::filesystem::create_directory(unfinished);
  std::filesystem::copy_file(study("study_longer/sweep.yaml"), unfinished / "sweep.yaml");
  const auto result = slopegan({"report", study("study_longer"), unfinished.string(), "--out", page_file()});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(read_text(page_file()), HasSubstr("unfinished has no result yet."));
}

TEST_F(ComparisonReport, RejectsInvalidComparisonsWithAOneLineMessage) {
  const auto run_dir = directory_ / "run";
  std::filesystem::create_directory(run_dir);
  std::ofstream(run_dir / "config.yaml") << "seed: 0\n";
  const std::string sweep = study("study_longer");
  expect_refusal({sweep, run_dir.string()}, "is a run; only sweeps can be compared");
  expect_refusal({sweep, (directory_ / "absent").string()}, "absent is not a sweep: it contains no sweep.yaml");
  expect_refusal({sweep, sweep + "/../study_longer"}, "are the same sweep");
  expect_refusal({sweep, study("study_race"), "--serve"}, "--serve shows the report of one run or sweep");
}

}  // namespace
}  // namespace slopegan::testing
