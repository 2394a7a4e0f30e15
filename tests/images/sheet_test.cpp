#include "images/sheet.h"

#include <algorithm>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/errors.h"

namespace slopegan {
namespace {

const cv::Vec3b white(255, 255, 255), green(0, 255, 0), gray(77, 77, 77);

/// Tiles in two colours that no text has.
cv::Mat green_tile(int side = 32) { return cv::Mat(side, side, CV_8UC3, cv::Scalar(0, 255, 0)); }
cv::Mat gray_tile(int side = 32) { return cv::Mat(side, side, CV_8UC1, cv::Scalar(77)); }

template <typename Predicate>
cv::Rect box_where(const cv::Mat& image, Predicate&& matches) {
  cv::Rect box;
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      if (matches(image.at<cv::Vec3b>(y, x))) box |= cv::Rect(x, y, 1, 1);
    }
  }
  return box;
}

cv::Rect box_of(const cv::Mat& image, const cv::Vec3b& colour) {
  return box_where(image, [&](const cv::Vec3b& pixel) { return pixel == colour; });
}

SheetRow row(const std::string& label, int tiles, const std::string& detail = "") {
  SheetRow row{.label = label, .detail = detail};
  row.tiles.assign(static_cast<std::size_t>(tiles), green_tile());
  return row;
}

TEST(DrawSheet, ScalesTilesByAWholeFactorAndSetsThemApartByTheGap) {
  Sheet sheet;
  sheet.rows = {row("", 3), row("", 3)};
  const SheetStyle style{.gap = 6, .margin = 10};
  const cv::Mat image = draw_sheet(sheet, style);
  EXPECT_EQ(image.size(), cv::Size(2 * 10 + 3 * 64 + 2 * 6, 2 * 10 + 2 * 64 + 6));
  EXPECT_EQ(image.at<cv::Vec3b>(10, 10), green);
  EXPECT_EQ(image.at<cv::Vec3b>(10, 10 + 63), green);
  EXPECT_EQ(image.at<cv::Vec3b>(10, 10 + 64), white);
  EXPECT_EQ(image.at<cv::Vec3b>(10, 10 + 70), green);
  EXPECT_EQ(image.at<cv::Vec3b>(10 + 64, 10), white);
  EXPECT_EQ(draw_sheet(sheet, {.scale = 1, .gap = 6, .margin = 10}).cols, 2 * 10 + 3 * 32 + 2 * 6);
}

TEST(DrawSheet, MixesGrayAndColourTiles) {
  Sheet sheet;
  sheet.rows = {SheetRow{.tiles = {gray_tile(), green_tile()}}};
  const cv::Mat image = draw_sheet(sheet, {.gap = 4, .margin = 10});
  EXPECT_EQ(box_of(image, gray), cv::Rect(10, 10, 64, 64));
  EXPECT_EQ(box_of(image, green), cv::Rect(78, 10, 64, 64));
}

TEST(DrawSheet, LabelsLieInTheMarginAndNeverReachTheTiles) {
  for (const std::string label :
       {"0", "slope 0.2", "a label that is long enough to be shortened, whatever the limit is"}) {
    Sheet sheet;
    sheet.rows = {row(label, 2, "FD 12.3"), row("x", 2)};
    const cv::Mat image = draw_sheet(sheet);
    const cv::Rect tiles = box_of(image, green);
    const cv::Rect text = box_where(image, [](const cv::Vec3b& p) { return p != white && p != green; });
    EXPECT_FALSE(text.empty());
    EXPECT_GE(text.x, SheetStyle{}.margin);
    EXPECT_LT(text.br().x, tiles.x - 8) << label;
    EXPECT_LE(tiles.x, SheetStyle{}.margin + SheetStyle{}.max_label_width + 18) << label;
  }
}

TEST(DrawSheet, ALongerLabelMakesTheMarginWider) {
  Sheet narrow, wide;
  narrow.rows = {row("a", 8)};
  wide.rows = {row("a much longer label", 8)};
  EXPECT_LT(draw_sheet(narrow).cols, draw_sheet(wide).cols);
}

TEST(DrawSheet, TextOfTitleStaysInsideTheMargins) {
  Sheet sheet;
  sheet.title = "A title of many words that has to be broken into lines because the sheet is narrow";
  sheet.subtitle = sheet.title + ", and " + sheet.title;
  sheet.rows = {row("slope 0.2", 2)};
  const cv::Mat image = draw_sheet(sheet);
  const cv::Rect ink = box_where(image, [](const cv::Vec3b& p) { return p != white; });
  const int margin = SheetStyle{}.margin;
  const cv::Rect inside(margin, margin, image.cols - 2 * margin, image.rows - 2 * margin);
  EXPECT_EQ(ink & inside, ink);
}

TEST(DrawSheet, RowsGrowWithTheirLabelsWhereTilesAreSmall) {
  Sheet sheet;
  for (int i = 0; i < 5; ++i) sheet.rows.push_back(row("slope", 1, "detail"));
  const cv::Mat image = draw_sheet(sheet, {.scale = 1});
  for (auto& one : sheet.rows) one.detail.clear();
  EXPECT_GT(image.rows, draw_sheet(sheet, {.scale = 1}).rows);
}

TEST(DrawSheet, SetsReferenceRowsApartByALine) {
  Sheet sheet;
  sheet.rows = {row("", 2), row("", 2)};
  const int plain_height = draw_sheet(sheet).rows;
  sheet.rows[0].reference = true;
  const cv::Mat image = draw_sheet(sheet);
  EXPECT_GT(image.rows, plain_height + 10);
  const cv::Rect line = box_where(image, [](const cv::Vec3b& p) { return p != white && p != green; });
  EXPECT_EQ(line.height, 1);
  EXPECT_EQ(line.width, 2 * 64 + 4);
  EXPECT_GT(line.y, SheetStyle{}.margin + 64);
}

TEST(DrawSheet, DrawsPaleTilesWhereThereIsNoImage) {
  Sheet sheet;
  sheet.rows = {SheetRow{.tiles = {cv::Mat(), green_tile()}}};
  const cv::Mat image = draw_sheet(sheet, {.margin = 10});
  EXPECT_EQ(box_of(image, cv::Vec3b(240, 240, 240)), cv::Rect(10, 10, 64, 64));
}

TEST(DrawSheet, ColumnLabelsStandAboveTheirColumns) {
  Sheet sheet;
  sheet.rows = {row("", 3)};
  sheet.column_labels = {"", "a label that is wider than its column", ""};
  const cv::Mat image = draw_sheet(sheet, {.gap = 4, .margin = 10});
  const cv::Rect text = box_where(image, [](const cv::Vec3b& p) { return p != white && p != green; });
  EXPECT_FALSE(text.empty());
  EXPECT_GE(text.x, 10 + 68);
  EXPECT_LE(text.br().x, 10 + 68 + 64);
  EXPECT_LE(text.br().y, box_of(image, green).y);
}

TEST(DrawSheet, DrawsManyRowsAndNone) {
  Sheet sheet;
  EXPECT_NO_THROW(draw_sheet(sheet));
  sheet.rows.assign(60, row("slope 0.2", 1));
  EXPECT_GT(draw_sheet(sheet).rows, 60 * 64);
}

TEST(DrawSheet, RefusesPicturesThatNoMemoryHolds) {
  Sheet sheet;
  sheet.rows = {row("", 64)};
  EXPECT_THAT(message_of<UsageError>([&] { draw_sheet(sheet, {.scale = 64}); }), ::testing::HasSubstr(" is too large"));
  sheet.rows.assign(1000, row("", 20));
  EXPECT_THAT(message_of<UsageError>([&] { draw_sheet(sheet, {.scale = 1'000}); }), ::testing::HasSubstr("too large"));
}

TEST(DrawSheet, RefusesTilesOfAnotherType) {
  Sheet sheet;
  sheet.rows = {SheetRow{.tiles = {cv::Mat(4, 4, CV_32FC1, cv::Scalar(0))}}};
  EXPECT_THROW(draw_sheet(sheet), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
