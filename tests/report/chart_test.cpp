#include "report/chart.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sections.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MeanCurve, AveragesOverIntervals) {
  Curve ramp;
  for (int i = 1; i <= 100'000; ++i) ramp.push_back({static_cast<double>(i), 2.0 * i});
  const Curve thin = mean_curve({ramp}, 100);
  ASSERT_EQ(thin.size(), 100U);
  for (const auto& point : thin) EXPECT_NEAR(point.y, 2 * point.x, 1e-6);
}

TEST(MeanCurve, GivesEveryCurveTheSameWeight) {
  const Curve mean = mean_curve({{{1, 2}, {2, 4}}, {{1, 4}, {2, std::nan("")}}, {{3, std::nan("")}}}, 10);
  ASSERT_EQ(mean.size(), 3U);
  EXPECT_EQ(mean[0].y, 3);
  EXPECT_EQ(mean[1].y, 4);  // the NaN is ignored
  EXPECT_TRUE(std::isnan(mean[2].y));
}

Chart line_chart(const std::vector<double>& values) {
  Chart chart;
  chart.title = "<b>";
  chart.x.label = "images seen";
  chart.y.label = "loss & more";
  ChartSeries series{.label = "\"D\""};
  for (std::size_t i = 0; i < values.size(); ++i) {
    series.points.push_back({static_cast<double>(i), values[i], 0, 0, {}});
  }
  chart.series = {series};
  return chart;
}

TEST(ReportChart, EscapesTitleLabelsAndLegend) {
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  const std::string html = chart_html(line_chart({0, 1, 2}), numbers);
  EXPECT_THAT(html, HasSubstr("<figcaption>&lt;b&gt;</figcaption>"));
  EXPECT_THAT(html, HasSubstr(">loss &amp; more</text>"));
  EXPECT_THAT(html, HasSubstr(">images seen</text>"));
  EXPECT_THAT(html, HasSubstr("&quot;D&quot;</li>"));
  EXPECT_THAT(html, Not(HasSubstr("style=")));  // would violate the page's content security policy
  ASSERT_EQ(numbers.size(), 1U);
  EXPECT_EQ(numbers[0]["series"][0]["y"], (nlohmann::ordered_json{0, 1, 2}));
}

TEST(ReportChart, LinesHaveGapsAtNonFiniteValues) {
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  const std::string html = chart_html(line_chart({0, 1, std::nan(""), 1, 2}), numbers);
  const auto path = html.find("<path d=\"");
  const std::string d = html.substr(path, html.find("/>", path) - path);
  EXPECT_EQ(std::count(d.begin(), d.end(), 'M'), 2);
  EXPECT_TRUE(numbers[0]["series"][0]["y"][2].is_null());
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(ReportChart, LinesOfTheSameColourHaveDifferentDashesAndIndices) {
  Chart chart = line_chart({1, 2});
  const auto points = chart.series[0].points;
  chart.series = {{.faint = true, .points = points},
                  {.label = "0", .points = points},
                  {.faint = true, .points = points},
                  {.label = "0.1", .points = points},
                  {.label = "0.2", .colour = 1, .points = points}};
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  const std::string html = chart_html(chart, numbers);
  EXPECT_THAT(html, HasSubstr("<g class=\"s c0 faint\" data-series=\"0\">"));
  EXPECT_THAT(html, HasSubstr("<g class=\"s c0\" data-series=\"0\">"));
  EXPECT_THAT(html, HasSubstr("<g class=\"s c0 faint\" data-series=\"1\">"));
  EXPECT_THAT(html, HasSubstr("<g class=\"s c0 dash1\" data-series=\"1\">"));
  EXPECT_THAT(html, HasSubstr("<g class=\"s c1\" data-series=\"2\">"));
  EXPECT_THAT(html, HasSubstr("<li class=\"c0 dash1\">0.1</li>"));
  EXPECT_EQ(numbers[0]["series"][1]["label"], "0.1");
}

TEST(ReportChart, FdOverTrainingExcludesFailedArms) {
  SweepData sweep;
  sweep.slopes = {0.1};
  sweep.seeds = {0, 1};
  for (const auto& [status, fd] : {std::pair{"done", 5.0}, {"diverged", 777.0}}) {
    MetricsRecord record;
    record.images = 100;
    record.extractor = "random@1";
    record.values = {{"fd", fd}};
    ArmData arm{0.1, std::ssize(sweep.arms), {}};
    arm.run.status = status;
    arm.run.images = 100;
    arm.run.metrics = {record};
    sweep.arms.push_back(arm);
  }
  Json charts = Json::array();
  EXPECT_THAT(sweep_scores_section(sweep, charts), HasSubstr("FD over training"));
  ASSERT_EQ(charts.size(), 2U);  // the first chart shows the FDs of all arms
  ASSERT_EQ(charts[1]["series"][0]["y"].size(), 1U);
  EXPECT_EQ(charts[1]["series"][0]["y"][0], 5);
}

TEST(ReportChart, IsEmptyWithoutFinitePoints) {
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  EXPECT_EQ(chart_html(line_chart({}), numbers), "");
  EXPECT_EQ(chart_html(line_chart({std::nan("")}), numbers), "");
  EXPECT_TRUE(numbers.empty());
}

TEST(ReportChart, UnboundedIntervalsEndInArrowsAtTheEdge) {
  Chart chart;
  chart.x.categories = {"0", "1"};
  chart.y.logarithmic = true;
  const double infinity = std::numeric_limits<double>::infinity();
  chart.series = {
      {.label = "ratio", .mark = ChartMark::interval, .points = {{0, 2, 0, infinity, "wide"}, {1, 3, 2, 4, "b"}}}};
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  const std::string html = chart_html(chart, numbers);
  EXPECT_THAT(html, HasSubstr("<title>wide: 2</title>"));
  int lines = 0;
  for (auto at = html.find("\"bar\""); at != std::string::npos; at = html.find("\"bar\"", at + 1)) ++lines;
  EXPECT_EQ(lines, 5 + 3);  // two arrows of two lines, two caps of one line, and two bars
  EXPECT_EQ(numbers[0]["series"][0]["low"], (nlohmann::ordered_json{0, 2}));
  EXPECT_EQ(numbers[0]["series"][0]["high"], (nlohmann::ordered_json{"∞", 4}));
  EXPECT_THAT(html, Not(HasSubstr("inf")));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(ReportChart, AnIntervalOutsideTheAxisHasNoCap) {
  Chart chart;
  chart.x.categories = {"0", "1"};
  chart.y.logarithmic = true;
  chart.series = {{.label = "ratio", .mark = ChartMark::interval, .points = {{0, 0, 0, 0, "a"}, {1, 3, 2, 4, "b"}}}};
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  const std::string html = chart_html(chart, numbers);
  int lines = 0;
  for (auto at = html.find("\"bar\""); at != std::string::npos; at = html.find("\"bar\"", at + 1)) ++lines;
  EXPECT_EQ(lines, 3 + 3);  // an arrow of two lines, two caps of one line, and two bars
}

}  // namespace
}  // namespace slopegan
