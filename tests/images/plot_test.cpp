#include "images/plot.h"

#include <gtest/gtest.h>

namespace slopegan {
namespace {

int count_colour(const cv::Mat& image, const cv::Scalar& colour) {
  cv::Mat mask;
  cv::inRange(image, colour, colour, mask);
  return cv::countNonZero(mask);
}

const cv::Scalar magenta(200, 0, 255);

Plot one_panel(const Series& series) {
  Plot plot;
  plot.title = "title";
  plot.columns = 1;
  Panel panel;
  panel.title = "panel";
  panel.y_range = {0, 1};
  panel.series = {series};
  plot.panels = {panel};
  return plot;
}

TEST(DrawPlot, DrawsBarsWithAHeightProportionalToTheirValue) {
  const auto area = [](double value) {
    auto plot = one_panel({"", Mark::bars, magenta, {0}, {value}});
    plot.panels[0].categories = {"one"};
    return count_colour(draw_plot(plot), magenta);
  };
  const int whole = area(1), half = area(0.5);
  EXPECT_GT(whole, 10000);
  EXPECT_NEAR(half, whole / 2.0, 0.01 * whole);
  EXPECT_EQ(area(0), 0);
}

TEST(DrawPlot, OmitsZeroOnALogarithmicAxis) {
  const auto dots = [](bool log_x) {
    auto plot = one_panel({"", Mark::points, magenta, {0, 30, 60, 100}, {0.5, 0.5, 0.5, 0.5}});
    plot.panels[0].log_x = log_x;
    return count_colour(draw_plot(plot), magenta);
  };
  EXPECT_NEAR(dots(true), 0.75 * dots(false), 0.1 * dots(false));
}

TEST(DrawPlot, DrawsThickLinesAndALegend) {
  const auto ink = [](const char* label, std::size_t points) {
    Series series{label, Mark::line, magenta, {}, std::vector<double>(points, 0.3)};
    for (std::size_t i = 0; i < points; ++i) series.x.push_back(static_cast<double>(i));
    return count_colour(draw_plot(one_panel(series)), magenta);
  };
  EXPECT_GT(ink("", 2), 300);
  EXPECT_GT(ink("name", 2), ink("", 2));
  EXPECT_NEAR(ink("", 20000), ink("", 2), 0.05 * ink("", 2));  // many short segments look like one line
}

TEST(DrawPlot, SupportsPanelsWithoutPoints) {
  const auto plot = one_panel({"empty", Mark::line, magenta, {}, {}});
  EXPECT_EQ(draw_plot(plot).type(), CV_8UC3);
}

TEST(DrawPlot, APixelRatioMultipliesSizesAndDarkPlotsAreDark) {
  auto plot = one_panel({"", Mark::bars, magenta, {0}, {0.5}});
  plot.panels[0].categories = {"one"};
  const cv::Mat once = draw_plot(plot), twice = draw_plot(plot, {.pixel_ratio = 2}),
                dark = draw_plot(plot, {.dark = true});
  EXPECT_NEAR(twice.rows, 2 * once.rows, 6);
  EXPECT_EQ(twice.cols, 2 * once.cols);
  EXPECT_NEAR(count_colour(twice, magenta), 4 * count_colour(once, magenta), 0.05 * count_colour(twice, magenta));
  EXPECT_EQ(dark.size(), once.size());
  EXPECT_LT(cv::mean(dark)[1], 60);
  EXPECT_GT(cv::mean(once)[1], 200);
}

TEST(DrawPlot, RejectsSeriesWithMoreXThanYValues) {
  EXPECT_THROW(draw_plot(one_panel({"", Mark::line, magenta, {0, 1}, {0}})), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
