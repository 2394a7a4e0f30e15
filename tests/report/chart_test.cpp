#include "report/chart.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(ReportChart, IsEmptyWithoutFinitePoints) {
  nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
  EXPECT_EQ(chart_html(line_chart({}), numbers), "");
  EXPECT_EQ(chart_html(line_chart({std::nan("")}), numbers), "");
  EXPECT_TRUE(numbers.empty());
}

TEST(ReportChart, UnboundedIntervalsEndAtTheEdge) {
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
