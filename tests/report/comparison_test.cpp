#include "report/comparison.h"

#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sections.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr double no_limit = std::numeric_limits<double>::infinity();

/// The result of a sweep with the control 0.2.
ComparedResult compared(const std::string& sweep, const std::vector<SlopeFinding>& slopes) {
  ComparedResult result;
  result.sweep = sweep;
  result.data = "shirts, 32 px";
  result.images = 60'000;
  result.ruler = "FD[test@1,n=100]";
  result.control = 0.2;
  result.findings.slopes = slopes;
  if (!slopes.empty()) {
    result.findings.slopes.push_back(
        {.negative_slope = 0.2, .verdict = Verdict::control, .ratio = 1, .limits = {1, 1}});
  }
  return result;
}

SlopeFinding found(double negative_slope, Verdict verdict, double ratio, Interval limits) {
  return {
      .negative_slope = negative_slope, .verdict = verdict, .ratio = ratio, .limits = limits, .arms = 8, .seeds = 8};
}

TEST(Comparison, CountsTheVerdictsOnEachSlope) {
  const std::vector<ComparedResult> results = {
      compared("a", {found(0.1, Verdict::better, 0.8, {0.7, 0.9}), found(1, Verdict::given_up, 4, {0, no_limit})}),
      compared("b", {found(0.1, Verdict::better, 0.8, {0.7, 0.9}), found(1, Verdict::worse, 3, {2, 4})}),
      compared("c", {found(0.1, Verdict::no_difference_detected, 0.9, {0.7, 1.1}),
                     found(0.3, Verdict::worse, 1.2, {1.1, 1.3})}),
      compared("d", {found(0.1, Verdict::no_difference_detected, 1, {0.9, 1.1})})};
  EXPECT_THAT(agreement_sentences(results),
              ElementsAre("Slope 0.1 is better than 0.2 in 2 of 4 sweeps, equivalent in 1, undecided in 1.",
                          "Slope 0.3 is worse than 0.2 in 1 of 1 sweep.",
                          "Slope 1 is worse than 0.2 in 1 of 2 sweeps, given up in 1."));
  EXPECT_THAT(contradiction_sentences(results), IsEmpty());
}

TEST(Comparison, NamesSlopesWhoseIntervalsDoNotOverlap) {
  const std::vector<ComparedResult> results = {
      compared("a", {found(0, Verdict::better, 0.9, {0.8, 0.98}), found(0.1, Verdict::better, 0.9, {0.8, 1})}),
      compared("b", {found(0, Verdict::no_difference_detected, 1, {0.9, 1.2}),
                     found(0.1, Verdict::no_difference_detected, 1, {1, 1.2})}),
      compared("c", {found(0, Verdict::worse, 2, {1.19, no_limit})})};
  EXPECT_THAT(contradiction_sentences(results),
              ElementsAre("The effect of slope 0 depends on the sweep: relative to the control, FD is 2 to 20 % lower "
                          "in a, but at least 19 % higher in c."));
}

TEST(Comparison, OppositeVerdictsAreAContradictionAlthoughBothIntervalsEndAt1) {
  auto failed = found(0, Verdict::worse, no_limit, {1, no_limit});
  failed.has_fds = false;
  failed.failed = 8;
  const std::vector<ComparedResult> results = {
      compared("a", {found(0, Verdict::better, 0.9, {0, 1}), found(0.1, Verdict::better, 0.85, {0.74, 1})}),
      compared("b", {failed, found(0.1, Verdict::worse, 1.2, {1, 1.35})})};
  EXPECT_THAT(
      contradiction_sentences(results),
      ElementsAre("The effect of slope 0 depends on the sweep: it is better than 0.2 in a, but worse in b (8 of "
                  "8 arms failed).",
                  "The effect of slope 0.1 depends on the sweep: it is better than 0.2 in a, but worse in b."));
  EXPECT_THAT(comparison_answer_section(results),
              HasSubstr(">For slopes 0 and 0.1, the answer depends on the sweep.<"));
}

TEST(Comparison, ResultsWithDifferentControlsAreNotCheckedForContradictions) {
  const auto better = compared("a", {found(0.1, Verdict::better, 0.8, {0.7, 0.9})});
  auto worse = compared("b", {found(0.1, Verdict::worse, 1.5, {1.2, 1.8})});
  worse.control = 0;
  EXPECT_THAT(contradiction_sentences({better, worse}), IsEmpty());
  EXPECT_THAT(comparison_answer_section({better, worse}),
              HasSubstr(">The sweeps cannot be checked for contradictions, because their controls differ.<"));
  EXPECT_THAT(comparison_answer_section({better, worse, better}),
              HasSubstr(">The sweeps with the same control do not contradict each other: for every slope, the "
                        "intervals overlap.<"));
}

TEST(Comparison, ResultsOfDifferentRulersContradictEachOtherOnlyByTheirVerdicts) {
  const auto better = compared("a", {found(0.1, Verdict::better, 0.6, {0.5, 0.7})});
  auto other = compared("b", {found(0.1, Verdict::better, 0.9, {0.8, 0.95})});
  other.ruler = "FD[other@2,n=100]";
  EXPECT_THAT(contradiction_sentences({better, other}), IsEmpty());
  EXPECT_THAT(comparison_answer_section({better, other}),
              HasSubstr(">The sweeps do not contradict each other: no slope is better in one and worse in another.<"));
  other.findings.slopes[0] = found(0.1, Verdict::worse, 1.5, {1.2, 1.8});
  EXPECT_THAT(contradiction_sentences({better, other}),
              ElementsAre("The effect of slope 0.1 depends on the sweep: it is better than 0.2 in a, but worse in b."));
}

TEST(Comparison, PrefersContradictionsBetweenResultsOfTheSameRuler) {
  auto other = compared("a", {found(0.1, Verdict::better, 0.6, {0.5, 0.7})});
  other.ruler = "FD[other@2,n=100]";
  const std::vector<ComparedResult> results = {other, compared("b", {found(0.1, Verdict::better, 0.85, {0.8, 0.9})}),
                                               compared("c", {found(0.1, Verdict::worse, 1.3, {1.2, 1.4})})};
  EXPECT_THAT(contradiction_sentences(results),
              ElementsAre("The effect of slope 0.1 depends on the sweep: relative to the control, FD is 10 to 20 % "
                          "lower in b, but 20 to 40 % higher in c."));
}

TEST(Comparison, BeginsWithTheSlopesWhoseAnswersDependOnTheSweep) {
  const auto better = compared("a", {found(0, Verdict::better, 0.9, {0.8, 0.98})});
  const auto worse = compared("b", {found(0, Verdict::worse, 2, {1.5, 3})});
  EXPECT_THAT(comparison_answer_section({better, worse}), HasSubstr(">For slope 0, the answer depends on the sweep.<"));
  EXPECT_THAT(comparison_answer_section({better, better}), HasSubstr(">The sweeps do not contradict each other"));
  EXPECT_THAT(comparison_answer_section({better, compared("a", {})}),
              HasSubstr(">Nothing to compare yet: no slope has"));
  EXPECT_THAT(comparison_answer_section({compared("a", {})}), HasSubstr(">No answer yet: no sweep has a result.<"));
}

TEST(Comparison, UntestedLimitsAreNotReportedAsContradictions) {
  const std::vector<ComparedResult> results = {compared("a", {found(1, Verdict::better, 0.9, {0.8, 0.9})}),
                                               compared("b", {found(1, Verdict::too_few_seeds, 2, {0, no_limit})}),
                                               compared("c", {found(1, Verdict::given_up, 3, {1, no_limit})}),
                                               compared("d", {found(1, Verdict::not_comparable, 3, {3, 4})})};
  EXPECT_THAT(contradiction_sentences(results), IsEmpty());
  EXPECT_THAT(agreement_sentences(results),
              ElementsAre("Slope 1 is better than 0.2 in 1 of 4 sweeps, undecided in 1, given up in 1, not comparable "
                          "in 1."));
}

TEST(Comparison, NotesDifferentControlsDifferentRulersCaveatsAndMissingResults) {
  auto other = compared("b", {found(0.5, Verdict::worse, 2, {1.5, 3})});
  other.control = 0.1;
  other.ruler = "FD[other@2,n=100]";
  other.findings.is_over = false;
  auto incomplete = compared("c", {found(0.5, Verdict::worse, 2, {1.5, 3})});
  incomplete.findings.missing_arms = 3;
  incomplete.caveat = "The labels are unrelated.";
  const std::vector<ComparedResult> results = {compared("a", {found(0.5, Verdict::worse, 2, {1.5, 3})}), other,
                                               incomplete, compared("d", {})};
  EXPECT_THAT(comparability_notes(results),
              ElementsAre(HasSubstr("control of its own sweep: 0.2 (a, c, d), 0.1 (b)."),
                          HasSubstr("FD[test@1,n=100] (a, c, d), FD[other@2,n=100] (b)."),
                          "b is a race that is still in progress.", "c lacks 3 arms.", "c: The labels are unrelated.",
                          "d has no result yet.", HasSubstr("controlled separately")));
  EXPECT_THAT(agreement_sentences(results), ElementsAre("Slope 0.5 is worse than the control in 3 of 3 sweeps."));
}

TEST(Comparison, OfACrossedSweepHasOneResultPerCondition) {
  SweepData sweep;
  sweep.config.run.name = "crossed";
  sweep.config.data.path = "/data/shirts/";
  sweep.config.sweep.apply_to = SweepTarget::generator;
  auto& conditions = sweep.statistics.emplace().cross.emplace().conditions;
  for (const char* norm : {"none", "batch"}) conditions.emplace_back().settings = {{"generator.norm", norm}};
  SweepData plain;
  plain.config.run.name = "plain";
  const auto results = compared_results({sweep, plain});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(full_name(results[0]), "crossed, slope of the generator only, generator.norm=none");
  EXPECT_EQ(results[1].condition, "slope of the generator only, generator.norm=batch");
  EXPECT_EQ(results[0].data, "shirts, 32 px");
  EXPECT_EQ(full_name(results[2]), "plain");
  EXPECT_THAT(results[2].answer, HasSubstr("No result yet"));
}

TEST(Comparison, CallsOnlyTheResultsOfACrossedSweepConditions) {
  const auto better = [](const std::string& sweep) {
    return compared(sweep, {found(0, Verdict::better, 0.9, {0.8, 0.98})});
  };
  const auto worse = [](const std::string& sweep) {
    return compared(sweep, {found(0, Verdict::worse, 1.3, {1.2, 1.4})});
  };
  const std::vector<ComparedResult> crossed = {better("a"), worse("a")}, sweeps = {better("a"), worse("b")},
                                    mixed = {better("a"), better("a"), worse("b")};
  EXPECT_THAT(agreement_sentences(crossed), ElementsAre(HasSubstr(" in 1 of 2 conditions, worse in 1.")));
  EXPECT_THAT(contradiction_sentences(crossed), ElementsAre(HasSubstr("slope 0 depends on the condition: ")));
  EXPECT_THAT(comparison_answer_section(crossed), HasSubstr(">For slope 0, the answer depends on the condition.<"));
  EXPECT_THAT(agreement_sentences(sweeps), ElementsAre(HasSubstr(" in 1 of 2 sweeps, worse in 1.")));
  EXPECT_THAT(agreement_sentences(mixed), ElementsAre(HasSubstr(" in 2 of 3 sweeps and conditions, worse in 1.")));
  EXPECT_THAT(contradiction_sentences(mixed), ElementsAre(HasSubstr("slope 0 depends on the sweep: ")));

  // Results without the slope do not count: here, slope 1 is part of the crossed sweep only, and slope 2 of the other.
  auto several = crossed;
  for (auto& result : several) result.findings.slopes.push_back(found(1, Verdict::worse, 2, {1.5, 3}));
  several.push_back(compared("b", {found(2, Verdict::worse, 2, {1.5, 3})}));
  EXPECT_THAT(
      agreement_sentences(several),
      ElementsAre(HasSubstr(" of 2 conditions"), HasSubstr(" in 2 of 2 conditions."), HasSubstr(" in 1 of 1 sweep.")));
}

TEST(Comparison, BeginsWithWhatTheAnswersDependOn) {
  const auto result = [](const std::string& sweep, double slope, bool is_better) {
    return compared(sweep, {is_better ? found(slope, Verdict::better, 0.9, {0.8, 0.98})
                                      : found(slope, Verdict::worse, 1.3, {1.2, 1.4})});
  };
  EXPECT_THAT(comparison_answer_section(
                  {result("a", 0, true), result("a", 0, false), result("a", 1, true), result("b", 1, false)}),
              HasSubstr(">For slopes 0 and 1, the answer depends on the sweep or the condition.<"));
}

TEST(Comparison, DistinguishesSweepsWithEqualNamesByTheirPaths) {
  SweepData first, second;
  first.directory = "one/sweep";
  second.directory = "two/sweep";
  first.config.run.name = second.config.run.name = "sweep";
  const auto results = compared_results({first, second});
  EXPECT_EQ(results[0].sweep, "one/sweep");
  EXPECT_EQ(results[1].sweep, "two/sweep");
}

TEST(Comparison, ReportsTheLookAtWhichASlopeWasDecided) {
  auto race = compared("race", {});
  race.looks = {6, 8, 10};
  auto finding = found(0, Verdict::better, 0.9, {0.8, 1});
  EXPECT_EQ(repeats_text(race, finding), "8 arms, look 2 of 3");
  finding.arms = 2;
  finding.seeds = 0;
  EXPECT_EQ(repeats_text(race, finding), "2 arms, no look");
  EXPECT_EQ(repeats_text(compared("fixed", {}), found(0, Verdict::better, 0.9, {0.8, 1})), "8 seeds");
}

TEST(Comparison, WritesOneCsvLinePerResultAndSlope) {
  auto crossed = compared(
      "a", {found(0, Verdict::worse, no_limit, {1.5, no_limit}), found(1, Verdict::given_up, 3, {0, no_limit})});
  crossed.condition = "loss.kind=hinge, loss.r1=1";
  EXPECT_EQ(
      comparison_csv({crossed}),
      "sweep,condition,data,images,ruler,repeats,control,slope,ratio,low,high,verdict\n"
      "a,\"loss.kind=hinge, loss.r1=1\",\"shirts, 32 px\",60000,\"FD[test@1,n=100]\",8 seeds,0.2,0,,1.5,,worse\n"
      "a,\"loss.kind=hinge, loss.r1=1\",\"shirts, 32 px\",60000,\"FD[test@1,n=100]\",8 seeds,0.2,1,3,,,given up\n");
}

TEST(Comparison, NamesTheFailuresOfAResultWithoutFds) {
  auto failed = found(0, Verdict::worse, no_limit, {1, no_limit});
  failed.has_fds = false;
  failed.failed = 8;
  auto rescued = found(0.1, Verdict::better, 0, {0, 1});
  rescued.has_fds = false;
  rescued.control_arms = rescued.control_failed = 8;
  const std::vector<ComparedResult> results = {
      compared("a", {found(0, Verdict::better, 0.9, {0.8, 0.98}), found(0.1, Verdict::worse, 1.2, {1.1, 1.3})}),
      compared("b", {failed, rescued})};
  EXPECT_THAT(contradiction_sentences(results),
              ElementsAre("The effect of slope 0 depends on the sweep: relative to the control, FD is 2 to 20 % lower "
                          "in a, but 8 of 8 arms failed in b.",
                          "The effect of slope 0.1 depends on the sweep: 8 of 8 arms of the control failed "
                          "in b, but relative to the control, FD is 10 to 30 % higher in a."));
  const std::string csv = comparison_csv({results[1]});
  EXPECT_THAT(csv, HasSubstr(",8 seeds,0.2,0,,,,worse\n"));
  EXPECT_THAT(csv, HasSubstr(",8 seeds,0.2,0.1,,,,better\n"));
  EXPECT_THAT(comparison_table_section(results), HasSubstr(">8 of 8 arms of the control failed<"));
}

TEST(Comparison, DrawsOnePlotPerSlopeWithOneRowPerResult) {
  auto crossed = compared("b<i>", {found(0, Verdict::worse, 20, {15, 30})});
  crossed.condition = "generator.norm=none";
  const std::string plots = forest_plots({compared("a", {found(0, Verdict::better, 0.8, {0.7, 0.9}),
                                                         found(0.1, Verdict::no_difference_detected, 1, {0.9, 1.1})}),
                                          crossed});
  for (const char* text : {"<figcaption>Slope 0</figcaption>", "<figcaption>Slope 0.1</figcaption>", ">better<",
                           ">worse<", ">equivalent<", ">b&lt;i&gt;<", ">generator.norm=none<", ">20.0 (15.0–30.0)<"}) {
    EXPECT_THAT(plots, HasSubstr(text));
  }
  EXPECT_THAT(plots, Not(HasSubstr("<i>")));
  EXPECT_EQ(forest_plots({compared("a", {})}), "");
}

TEST(Comparison, ShowsOnlyKeysThatDifferBetweenTheSweeps) {
  SweepData first, second;
  first.config.run.name = "one";
  second.config.run.name = "two";
  second.config.training.total_images = 12'345;
  second.config.sweep.jobs = 2;
  const std::string differences = comparison_config_section({first, second});
  EXPECT_THAT(differences, HasSubstr("<code>training.total_images</code>"));
  EXPECT_THAT(differences, HasSubstr("<code>12345</code>"));
  EXPECT_THAT(differences, Not(HasSubstr("<code>sweep.jobs</code>")));
  EXPECT_THAT(differences, Not(HasSubstr("<code>generator.width</code>")));
  EXPECT_EQ(comparison_config_section({first, first}), "");
}

TEST(Comparison, ReplacesContactSheetsThatAreTooLargeWithNotes) {
  const TemporaryDirectory directory;
  constexpr std::size_t limit = std::size_t{7} << 19, first = 2'000'000;  // all sheets together may use 3.5 MiB
  std::vector<SweepData> sweeps(3);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string name = std::vector{"first", "larger", "last"}[i];
    std::filesystem::create_directory(directory / name);
    directory.write(name + "/contact_sheet.png",
                    std::string(std::vector{first, limit - first + 1, limit - first}[i], 'x'));
    sweeps[i].directory = directory / name;
    sweeps[i].config.run.name = name;
  }
  std::vector<std::string> notes;
  const std::string sheets = comparison_sheets_section(sweeps, notes);
  EXPECT_THAT(sheets, AllOf(HasSubstr("Images generated in sweep first"), HasSubstr("Images generated in sweep last")));
  EXPECT_THAT(sheets, Not(HasSubstr("larger")));
  EXPECT_THAT(notes, ElementsAre(AllOf(HasSubstr("larger/contact_sheet.png"),
                                       HasSubstr("larger than " + std::to_string(limit - first) + " bytes"))));
}

}  // namespace
}  // namespace slopegan
