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

TEST(RoundTicks, AreMultiplesOfOneTwoOrFive) {
  EXPECT_EQ(round_ticks(0, 1, 5), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  EXPECT_EQ(round_ticks(0, 100, 6), (std::vector<double>{0, 20, 40, 60, 80, 100}));
  EXPECT_EQ(round_ticks(-2.2, 0.4, 5), (std::vector<double>{-2, -1, 0}));
  EXPECT_EQ(round_ticks(7, 23, 4), (std::vector<double>{10, 15, 20}));
}

TEST(DrawPlot, DrawsABarAsHighAsItsValue) {
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

TEST(DrawPlot, LeavesOutWhatALogarithmCannotShow) {
  const auto dots = [](bool log_x) {
    auto plot = one_panel({"", Mark::points, magenta, {0, 30, 60, 100}, {0.5, 0.5, 0.5, 0.5}});
    plot.panels[0].log_x = log_x;
    return count_colour(draw_plot(plot), magenta);
  };
  EXPECT_NEAR(dots(true), 0.75 * dots(false), 0.1 * dots(false));
}

TEST(DrawPlot, DrawsALineThickAndNamesItInTheLegend) {
  const auto ink = [](const char* label, std::size_t points) {
    Series series{label, Mark::line, magenta, {}, std::vector<double>(points, 0.3)};
    for (std::size_t i = 0; i < points; ++i) series.x.push_back(static_cast<double>(i));
    return count_colour(draw_plot(one_panel(series)), magenta);
  };
  EXPECT_GT(ink("", 2), 300);
  EXPECT_GT(ink("name", 2), ink("", 2));
  EXPECT_NEAR(ink("", 20000), ink("", 2), 0.05 * ink("", 2));  // many short pieces look like one line
}

TEST(DrawPlot, TakesAPanelWithoutPoints) {
  const auto plot = one_panel({"empty", Mark::line, magenta, {}, {}});
  EXPECT_EQ(draw_plot(plot).type(), CV_8UC3);
}

TEST(DrawPlot, RefusesASeriesWithMoreXThanY) {
  EXPECT_THROW(draw_plot(one_panel({"", Mark::line, magenta, {0, 1}, {0}})), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
