#include "images/sheet.h"

#include <algorithm>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "images/image_file.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

const cv::Vec3b white(255, 255, 255), green(0, 255, 0), gray(77, 77, 77);

/// Tiles in two colours that do not occur in text.
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

TEST(DrawSheet, ScalesTilesByAnIntegerFactorAndSeparatesThemByTheGap) {
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

TEST(DrawSheet, SupportsGrayAndColourTilesInOneRow) {
  Sheet sheet;
  sheet.rows = {SheetRow{.tiles = {gray_tile(), green_tile()}}};
  const cv::Mat image = draw_sheet(sheet, {.gap = 4, .margin = 10});
  EXPECT_EQ(box_of(image, gray), cv::Rect(10, 10, 64, 64));
  EXPECT_EQ(box_of(image, green), cv::Rect(78, 10, 64, 64));
}

TEST(DrawSheet, LabelsDoNotReachTheTiles) {
  for (const std::string label :
       {"0", "slope 0.2", "a label that is long enough to be shortened at any reasonable limit"}) {
    Sheet sheet;
    sheet.rows = {row(label, 2, "FD 12.3"), row("x", 2)};
    const cv::Mat image = draw_sheet(sheet);
    const cv::Rect tiles = box_of(image, green);
    const cv::Rect text = box_where(image, [](const cv::Vec3b& p) { return p != white && p != green; });
    EXPECT_FALSE(text.empty());
    EXPECT_GE(text.x, SheetStyle{}.margin);
    EXPECT_LT(text.br().x, tiles.x - 8) << label;
    EXPECT_LE(tiles.x, SheetStyle{}.margin + SheetStyle{}.max_label_width + 20) << label;
  }
}

TEST(DrawSheet, LongerLabelsWidenTheLabelColumn) {
  Sheet narrow, wide;
  narrow.rows = {row("a", 8)};
  wide.rows = {row("a much longer label", 8)};
  EXPECT_LT(draw_sheet(narrow).cols, draw_sheet(wide).cols);
}

const std::string long_text =
    "A text of many words that has to be broken into lines because the sheet is narrow, and is then also shortened";

TEST(DrawSheet, TitlesAndCaptionsStayInsideTheMargins) {
  Sheet sheet;
  sheet.title = long_text;
  sheet.caption = long_text + ", " + long_text + ", " + long_text;
  sheet.rows = {row("slope 0.2", 2)};
  const cv::Mat image = draw_sheet(sheet);
  const cv::Rect ink = box_where(image, [](const cv::Vec3b& p) { return p != white; });
  const int margin = SheetStyle{}.margin;
  const cv::Rect inside(margin, margin, image.cols - 2 * margin, image.rows - 2 * margin);
  EXPECT_EQ(ink & inside, ink);
}

TEST(DrawSheet, APixelRatioMultipliesEveryLength) {
  Sheet sheet{.title = "title", .caption = "caption", .column_labels = {"a", "b"}, .rows = {row("x", 2), row("y", 2)}};
  sheet.rows[0].reference = sheet.rows[1].best = true;
  const SheetLayout once = lay_out(sheet, {}), twice = lay_out(sheet, {.picture = {.pixel_ratio = 2}});
  ASSERT_EQ(once.tiles.size(), twice.tiles.size());
  for (std::size_t i = 0; i < once.tiles.size(); ++i) {
    EXPECT_EQ(twice.tiles[i].cell.size(), once.tiles[i].cell.size() * 2);
    // Widths and heights of text are rounded up to pixels.
    EXPECT_NEAR(twice.tiles[i].cell.x, 2 * once.tiles[i].cell.x, 3);
    EXPECT_NEAR(twice.tiles[i].cell.y, 2 * once.tiles[i].cell.y, 8);
  }
  ASSERT_EQ(twice.texts.size(), once.texts.size());
  for (std::size_t i = 0; i < once.texts.size(); ++i) {
    EXPECT_EQ(twice.texts[i].style.size, 2 * once.texts[i].style.size);
  }
  ASSERT_EQ(twice.marks.size(), 1u);
  EXPECT_EQ(twice.marks[0].size(), once.marks[0].size() * 2);
  EXPECT_EQ(twice.lines[0].height, 2);
}

TEST(DrawSheet, DarkSheetsHaveLightTextOnADarkBackground) {
  Sheet sheet{.title = "title", .caption = "", .column_labels = {}, .rows = {row("label", 2)}};
  const cv::Mat light = draw_sheet(sheet), dark = draw_sheet(sheet, {.picture = {.dark = true}});
  ASSERT_EQ(light.size(), dark.size());
  EXPECT_EQ(box_of(light, green), box_of(dark, green));
  EXPECT_GT(cv::mean(light)[2], 150);
  EXPECT_LT(cv::mean(dark)[2], 50);
  double brightest = 0;
  cv::minMaxLoc(dark.reshape(1), nullptr, &brightest);
  EXPECT_GT(brightest, 240);
}

TEST(LayOut, MarksTheBestRowBesideItsTilesAndInItsLabel) {
  Sheet sheet;
  sheet.rows = {row("slope 0.1", 2, "FD 1"), row("slope 0.2", 2, "FD 2")};
  EXPECT_TRUE(lay_out(sheet, {}).marks.empty());
  sheet.rows[1].best = true;
  const auto layout = lay_out(sheet, {});
  ASSERT_EQ(layout.marks.size(), 1u);
  const cv::Rect mark = layout.marks[0], tile = layout.tiles[2].cell;
  EXPECT_EQ(mark.y, tile.y);
  EXPECT_EQ(mark.height, tile.height);
  EXPECT_LT(mark.br().x, tile.x);
  const auto star = std::find_if(layout.texts.begin(), layout.texts.end(),
                                 [](const PlacedText& text) { return text.text == best_mark; });
  ASSERT_NE(star, layout.texts.end());
  EXPECT_LT(star->box.br().x, mark.x);
  const auto differs_from_gray = [](const cv::Vec3b& p) { return p != green && (p[0] != p[1] || p[1] != p[2]); };
  EXPECT_TRUE(box_where(draw_sheet(sheet), differs_from_gray).contains(mark.tl()));
  EXPECT_TRUE(box_where(draw_sheet(sheet, {.picture = {.gray = true}}), differs_from_gray).empty());
}

/// Checks the size of the picture, the order of the texts and the darkness of each text. The tolerances allow for
/// different versions of the font and of FreeType.
TEST(DrawSheet, LooksUnchanged) {
  Sheet sheet{.title = "Größe: which slope?",
              .caption = "FD: Fréchet distance, mean ± deviation",
              .column_labels = {"sandal", "bag"},
              .rows = {row("real", 2, "FD 0.02"), row("slope 0.1", 2, "FD 1.2")}};
  sheet.rows[0].reference = sheet.rows[1].best = true;
  const cv::Mat image = draw_sheet(sheet);
  EXPECT_NEAR(image.cols, 496, 12);
  EXPECT_NEAR(image.rows, 282, 12);
  const auto darkness = [&](const cv::Rect& part) { return 255 - cv::mean(cv::mean(image(part)))[0]; };
  std::string rows;
  for (const auto& text : lay_out(sheet, {}).texts) {
    EXPECT_GT(darkness(text.box), 15) << text.text;  // letters cover 10 to 50 % of their line
    EXPECT_LT(darkness(text.box), 130) << text.text;
    rows += text.text + "|";
  }
  EXPECT_EQ(rows,
            "Größe: which slope?|FD: Fréchet distance, mean ± deviation|sandal|bag|real|FD 0.02|slope 0.1|★|FD 1.2|");
}

TEST(DrawSheet, RowsOfSmallTilesAreAsTallAsTheirLabels) {
  Sheet sheet;
  for (int i = 0; i < 5; ++i) sheet.rows.push_back({.label = "slope", .detail = "detail", .tiles = {green_tile(16)}});
  const cv::Mat image = draw_sheet(sheet, {.scale = 1});
  for (auto& one : sheet.rows) one.detail.clear();
  EXPECT_GT(image.rows, draw_sheet(sheet, {.scale = 1}).rows);
}

TEST(DrawSheet, SeparatesReferenceRowsWithALine) {
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

TEST(DrawSheet, DrawsMissingImagesAsPaleTiles) {
  Sheet sheet;
  sheet.rows = {SheetRow{.tiles = {cv::Mat(), green_tile()}}};
  const cv::Mat image = draw_sheet(sheet, {.margin = 10});
  EXPECT_EQ(box_of(image, cv::Vec3b(240, 240, 240)), cv::Rect(10, 10, 64, 64));
}

TEST(DrawSheet, DrawsColumnLabelsAboveTheirColumns) {
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

TEST(DrawSheet, DrawsAnyNumberOfRows) {
  Sheet sheet;
  EXPECT_NO_THROW(draw_sheet(sheet));
  sheet.rows.assign(60, row("slope 0.2", 1));
  EXPECT_GT(draw_sheet(sheet).rows, 60 * 64);
}

TEST(DrawSheet, RejectsPicturesThatAreTooLarge) {
  Sheet sheet;
  sheet.rows = {row("", 64)};
  EXPECT_THAT(message_of<UsageError>([&] { draw_sheet(sheet, {.scale = 64}); }), ::testing::HasSubstr(" is too large"));
  sheet.rows.assign(1000, row("", 20));
  EXPECT_THAT(message_of<UsageError>([&] { draw_sheet(sheet, {.scale = 1'000}); }), ::testing::HasSubstr("too large"));
}

TEST(DrawSheet, RejectsTilesOfOtherTypes) {
  Sheet sheet;
  sheet.rows = {SheetRow{.tiles = {cv::Mat(4, 4, CV_32FC1, cv::Scalar(0))}}};
  EXPECT_THROW(draw_sheet(sheet), std::invalid_argument);
}

/// A reference row, followed by rows of one tile whose gray value is the row number.
Sheet numbered_rows(int count) {
  Sheet sheet{.title = "title", .caption = "", .column_labels = {"a"}, .rows = {}};
  sheet.rows.push_back({.label = "real", .tiles = {cv::Mat(32, 32, CV_8UC1, cv::Scalar(250))}, .reference = true});
  for (int i = 0; i < count; ++i) {
    sheet.rows.push_back({.label = std::to_string(i), .tiles = {cv::Mat(32, 32, CV_8UC1, cv::Scalar(i))}});
  }
  return sheet;
}

TEST(SplitIntoPages, KeepsTheOrderOfRowsAndRepeatsReferenceRows) {
  const Sheet sheet = numbered_rows(100);
  const auto pages = split_into_pages(sheet, {}, 1000);
  EXPECT_GT(pages.size(), 6u);
  EXPECT_LT(pages.size(), 12u);
  std::vector<std::string> labels;
  for (const auto& page : pages) {
    EXPECT_LE(lay_out(page, {}).size.height, 1000);
    EXPECT_TRUE(page.rows.front().reference);
    EXPECT_EQ(page.column_labels, sheet.column_labels);
    for (std::size_t i = 1; i < page.rows.size(); ++i) labels.push_back(page.rows[i].label);
  }
  EXPECT_EQ(pages[1].title, "title (2 of " + std::to_string(pages.size()) + ")");
  ASSERT_EQ(labels.size(), 100u);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(labels[i], std::to_string(i));
}

TEST(SplitIntoPages, KeepsSheetsThatFitAndPutsAtLeastOneRowOnAPage) {
  EXPECT_EQ(split_into_pages(numbered_rows(3), {}, 1000).size(), 1u);
  EXPECT_EQ(split_into_pages(numbered_rows(3), {}, 1000)[0].title, "title");
  EXPECT_EQ(split_into_pages(numbered_rows(1), {}, 10).size(), 1u);
  EXPECT_EQ(split_into_pages(numbered_rows(5), {}, 10).size(), 5u);  // one row per page, although each is too tall
  EXPECT_EQ(split_into_pages({}, {}, 10).size(), 1u);
}

TEST(WriteSheet, NumbersPagesAfterTheFirst) {
  const TemporaryDirectory directory;
  const auto files = write_sheet(directory / "grid.png", numbered_rows(250));
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0], directory / "grid.png");
  EXPECT_EQ(files[2], directory / "grid_3.png");
  EXPECT_LE(read_image(files[0]).rows, page_height_limit);
  EXPECT_EQ(write_sheet(directory / "one.png", numbered_rows(2)).size(), 1u);
  directory.write("grid_note.png", "another file");
  remove_later_pages(directory / "grid.png", 2);
  for (std::size_t i = 0; i < files.size(); ++i) EXPECT_EQ(std::filesystem::exists(files[i]), i < 2) << files[i];
  EXPECT_TRUE(std::filesystem::exists(directory / "grid_note.png"));
}

}  // namespace
}  // namespace slopegan
