#include "report/chart.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<double> tick_values(const Range& range, bool logarithmic) {
  std::vector<double> values;
  for (const auto& tick : ticks(range, logarithmic, 5)) values.push_back(tick.value);
  return values;
}

TEST(ReportChart, TicksAreRoundAndInside) {
  EXPECT_THAT(tick_values({0, 1}, false), ::testing::ElementsAre(0, 0.2, 0.4, 0.6000000000000001, 0.8, 1));
  EXPECT_THAT(tick_values({0, 60000}, false), ::testing::ElementsAre(0, 20000, 40000, 60000));
  EXPECT_THAT(tick_values({0.5, 2000}, true), ::testing::ElementsAre(1, 10, 100, 1000));
  EXPECT_THAT(tick_values({0.9, 60}, true), ::testing::ElementsAre(1, 2, 5, 10, 20, 50));
  EXPECT_GE(tick_values({1.3, 1.7}, true).size(), 2U);  // no power of ten in it
}

TEST(ReportChart, TickTextsAreShort) {
  EXPECT_EQ(tick_text(20000), "20k");
  EXPECT_EQ(tick_text(1.5e6), "1.5M");
  EXPECT_EQ(tick_text(0.05), "0.05");
  EXPECT_EQ(tick_text(-3), "−3");
}

TEST(ReportChart, RangesHoldFiniteValuesOnly) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Range range = range_of({1, 3, std::nan(""), infinity}, false);
  EXPECT_LE(range.low, 1);
  EXPECT_GE(range.high, 3);
  EXPECT_LT(range.high, 4);
  EXPECT_GT(range_of({0, 5, 7}, true).low, 0);  // 0 has no logarithm
  for (const bool logarithmic : {false, true}) {
    const Range none = range_of({}, logarithmic), one = range_of({5, 5}, logarithmic);
    EXPECT_LT(none.low, none.high);
    EXPECT_LT(one.low, 5);
    EXPECT_GT(one.high, 5);
  }
}

TEST(ReportChart, CurvesAreThinnedToMeans) {
  Curve ramp;
  for (int i = 1; i <= 100'000; ++i) ramp.push_back({static_cast<double>(i), 2.0 * i});
  const Curve thin = mean_curve({ramp}, 100);
  ASSERT_EQ(thin.size(), 100U);
  for (const auto& point : thin) EXPECT_NEAR(point.y, 2 * point.x, 1e-6);
}

TEST(ReportChart, TheMeanOfCurvesWeighsEachTheSame) {
  const Curve mean = mean_curve({{{1, 2}, {2, 4}}, {{1, 4}, {2, std::nan("")}}, {{3, std::nan("")}}}, 10);
  ASSERT_EQ(mean.size(), 3U);
  EXPECT_EQ(mean[0].y, 3);
  EXPECT_EQ(mean[1].y, 4);  // of the one that is known
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

TEST(ReportChart, HasTitleAxesAndLegendEscaped) {
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  const std::string html = chart_html(line_chart({0, 1, 2}), numbers);
  EXPECT_THAT(html, HasSubstr("<figcaption>&lt;b&gt;</figcaption>"));
  EXPECT_THAT(html, HasSubstr(">loss &amp; more</text>"));
  EXPECT_THAT(html, HasSubstr(">images seen</text>"));
  EXPECT_THAT(html, HasSubstr("&quot;D&quot;</li>"));
  EXPECT_THAT(html, Not(HasSubstr("style=")));  // the page's policy would drop it
  ASSERT_EQ(numbers.size(), 1U);
  EXPECT_EQ(numbers[0]["series"][0]["y"], (nlohmann::ordered_json{0, 1, 2}));
}

TEST(ReportChart, LinesHaveGapsWhereValuesAreNotFinite) {
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  const std::string html = chart_html(line_chart({0, 1, std::nan(""), 1, 2}), numbers);
  const auto path = html.find("<path d=\"");
  const std::string d = html.substr(path, html.find("/>", path) - path);
  EXPECT_EQ(std::count(d.begin(), d.end(), 'M'), 2);
  EXPECT_TRUE(numbers[0]["series"][0]["y"][2].is_null());
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(ReportChart, IsNothingWithoutAFinitePoint) {
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  EXPECT_EQ(chart_html(line_chart({}), numbers), "");
  EXPECT_EQ(chart_html(line_chart({std::nan("")}), numbers), "");
  EXPECT_TRUE(numbers.empty());
}

TEST(ReportChart, InfiniteLimitsReachToTheEdge) {
  Chart chart;
  chart.x.categories = {"0", "1"};
  chart.y.logarithmic = true;
  const double infinity = std::numeric_limits<double>::infinity();
  chart.series = {
      {.label = "ratio", .mark = ChartMark::interval, .points = {{0, 2, 0, infinity, "wide"}, {1, 3, 2, 4, "b"}}}};
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  const std::string html = chart_html(chart, numbers);
  EXPECT_THAT(html, HasSubstr("<title>wide: 2</title>"));
  EXPECT_THAT(html, Not(HasSubstr("inf")));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace slopegan
