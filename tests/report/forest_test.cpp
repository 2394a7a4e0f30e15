#include <cmath>
#include <iterator>
#include <limits>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sections.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SlopeFinding finding(double slope, Verdict verdict, std::optional<double> ratio, Interval limits) {
  SlopeFinding finding;
  finding.negative_slope = slope;
  finding.verdict = verdict;
  finding.ratio = ratio;
  finding.limits = limits;
  finding.arms = 8;
  return finding;
}

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Forest, ShowsVerdictsByColourShapeAndWord) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Findings findings;
  findings.slopes = {finding(0, Verdict::better, 0.8, {0.7, 0.9}),
                     finding(0.1, Verdict::no_difference_detected, 1.02, {0.9, 1.1}),
                     finding(0.2, Verdict::control, 1, {1, 1}),
                     finding(0.3, Verdict::too_few_seeds, 1.2, {0, infinity}),
                     finding(0.5, Verdict::worse, infinity, {1.5, infinity}),
                     finding(0.8, Verdict::given_up, 3.0, {0, infinity}),
                     finding(1, Verdict::not_comparable, std::nullopt, {0, infinity})};
  const std::string plot = forest_plot(findings);
  EXPECT_EQ(count_of(plot, "data-tip="), 7);
  EXPECT_EQ(count_of(plot, "class=\"v-better\""), 1);
  EXPECT_EQ(count_of(plot, "class=\"v-worse\""), 1);
  EXPECT_EQ(count_of(plot, "class=\"v-given-up\""), 1);
  EXPECT_EQ(count_of(plot, "class=\"v-open\""), 4);
  EXPECT_EQ(count_of(plot, "class=\"mark"), 6);  // a slope without an estimate has no mark
  for (const char* text : {">better<", ">not shown to differ<", ">control<", ">too few seeds<", ">given up<",
                           ">0.80 (0.70–0.90)<", "∞ (1.50–∞)<", "data-tip=\"0 is better than 0.2: FD 20 % lower"}) {
    EXPECT_THAT(plot, HasSubstr(text));
  }
  EXPECT_THAT(plot, Not(HasSubstr("inf")));
  EXPECT_THAT(plot, Not(HasSubstr("nan")));
  EXPECT_THAT(plot, Not(HasSubstr("style=")));  // would violate the page's content security policy
}

TEST(Forest, ShowsNoNumbersIfAllArmsOfTheSlopeOrOfTheControlFailed) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto without_fds = [](double slope, Verdict verdict, double ratio, std::int64_t failed,
                              std::int64_t control_failed) {
    SlopeFinding result = finding(slope, verdict, ratio, {0, infinity});
    result.has_fds = false;
    result.arms = result.control_arms = 5;
    result.failed = failed;
    result.control_failed = control_failed;
    return result;
  };
  Findings findings;
  findings.slopes = {without_fds(0, Verdict::worse, infinity, 5, 0), without_fds(0.1, Verdict::better, 0, 0, 5),
                     finding(0.2, Verdict::control, 1, {1, 1})};
  const std::string plot = forest_plot(findings);
  EXPECT_THAT(plot, HasSubstr(">failed<"));
  EXPECT_THAT(plot, HasSubstr(">control failed<"));
  EXPECT_THAT(plot, Not(HasSubstr("(1.00")));
  EXPECT_EQ(count_of(plot, "class=\"mark"), 3);
  findings.slopes[0] =
      without_fds(0, Verdict::no_difference_detected, infinity, 3, 2);  // no seed has FDs of both slopes
  EXPECT_THAT(forest_plot(findings), Not(HasSubstr(">failed<")));
}

TEST(Forest, ShowsADecidedSlopeWithoutAnEstimate) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Findings findings;
  findings.slopes = {finding(0, Verdict::worse, std::nullopt, {1, infinity}),
                     finding(0.2, Verdict::control, 1, {1, 1})};
  const std::string plot = forest_plot(findings);
  EXPECT_THAT(plot, HasSubstr("– (1.00–∞)<"));
  EXPECT_EQ(count_of(plot, "class=\"mark"), 1);  // only the control
}

TEST(Forest, IsOmittedWithoutComparisons) {
  Findings findings;
  EXPECT_EQ(forest_plot(findings), "");
  findings.slopes = {finding(0.1, Verdict::not_comparable, std::nullopt, {0, 1}),
                     finding(0.2, Verdict::control, 1, {1, 1})};
  EXPECT_EQ(forest_plot(findings), "");
}

/// The number of caps, which are vertical lines.
std::ptrdiff_t caps_of(const std::string& plot) {
  const std::regex cap("class=\"bar\" x1=\"([0-9.]+)\" y1=\"[0-9.]+\" x2=\"\\1\"");
  return std::distance(std::sregex_iterator(plot.begin(), plot.end(), cap), std::sregex_iterator());
}

TEST(Forest, LimitsOutsideTheAxisHaveArrowsInsteadOfCaps) {
  struct Case {
    Interval limits;  // on an axis from at least 1/4 to at most 4
    int bars, caps, arrows;
  };
  const std::vector<Case> cases = {{{0.5, 2}, 1, 2, 0},  {{0.1, 0.5}, 1, 1, 1},   {{2, 30}, 1, 1, 1},
                                   {{0.1, 10}, 1, 0, 2}, {{0.01, 0.02}, 0, 0, 1}, {{15, 30}, 0, 0, 1}};
  for (const auto& [limits, bars, caps, arrows] : cases) {
    const Verdict verdict = limits.high < 1  ? Verdict::better
                            : limits.low > 1 ? Verdict::worse
                                             : Verdict::no_difference_detected;
    ComparedResult result;
    result.sweep = "a";
    result.findings.slopes = {finding(1, verdict, std::sqrt(limits.low * limits.high), limits)};
    const std::string plot = forest_plots({result});
    EXPECT_EQ(caps_of(plot), caps) << limits.low;
    EXPECT_EQ(count_of(plot, "class=\"bar\""), bars + caps + 3 * arrows) << limits.low;
    EXPECT_EQ(count_of(plot, "class=\"mark"), 1) << limits.low;
  }
}

TEST(Forest, CutsLongNamesBetweenCharacters) {
  for (std::size_t letters = 50; letters < 60; ++letters) {
    ComparedResult result;
    result.sweep = std::string(letters, 'x') + "äöüäöüäöü";
    result.findings.slopes = {finding(0.1, Verdict::better, 0.8, {0.7, 0.9})};
    const std::string plots = forest_plots({result});
    EXPECT_THAT(plots, HasSubstr("…</text>"));
    EXPECT_THAT(plots, Not(HasSubstr("?")));
  }
}

}  // namespace
}  // namespace slopegan
