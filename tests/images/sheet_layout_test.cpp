#include "images/sheet_layout.h"

#include <gtest/gtest.h>

#include "images/read_image.h"
#include "support/random.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

const char* const words[] = {"",
                             "0",
                             "slope 0.2",
                             "FD 12.3 +/- 0.4 (3 seeds)",
                             "1000000000",
                             "WWWW",
                             "jgpqy[]{}",
                             "caf\xc3\xa9",
                             "a label without any end in sight, whatever the limit",
                             "x y",
                             "diverged",
                             "ReLU (linear)",
                             "Pneumonoultramicroscopicsilicovolcanoconiosis"};

std::string some_text(RandomStream& random) {
  std::string text = words[random.below(std::size(words))];
  for (std::uint32_t i = random.below(3); i > 0; --i) text += std::string(" ") + words[random.below(std::size(words))];
  return text;
}

/// Rows of every length with labels of every kind, tiles of mixed sizes and colours, some of them missing.
Sheet some_sheet(RandomStream& random) {
  Sheet sheet{some_text(random), some_text(random) + " " + some_text(random), {}, {}};
  const auto rows = random.below(6), columns = 1 + random.below(7);
  for (std::uint32_t c = random.below(columns + 2); c > 0; --c) sheet.column_labels.push_back(some_text(random));
  for (std::uint32_t r = 0; r < rows; ++r) {
    SheetRow row{.label = some_text(random), .detail = some_text(random)};
    row.reference = r == 0 && random.below(2) == 0;
    for (std::uint32_t c = random.below(columns + 1); c > 0; --c) {
      const int side = static_cast<int>(random.below(40));
      if (side > 0) row.tiles.emplace_back(side, side, random.below(2) == 0 ? CV_8UC1 : CV_8UC3, cv::Scalar::all(99));
      if (side == 0) row.tiles.emplace_back();
    }
    sheet.rows.push_back(std::move(row));
  }
  sheet.reference_columns = static_cast<int>(random.below(3));
  return sheet;
}

std::vector<cv::Rect> everything(const SheetLayout& layout) {
  std::vector<cv::Rect> boxes = layout.lines;
  for (const auto& text : layout.texts) boxes.push_back(text.box);
  for (const auto& tile : layout.tiles) boxes.push_back(tile.cell);
  return boxes;
}

TEST(LayOut, LetsNothingOverlapAndNothingLeaveThePicture) {
  std::size_t texts = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    RandomStream random(seed, "tests/lay_out");
    const Sheet sheet = some_sheet(random);
    const SheetStyle style{.scale = static_cast<int>(random.below(4)),
                           .gap = static_cast<int>(random.below(8)),
                           .margin = static_cast<int>(random.below(30)),
                           .max_label_width = 20 + static_cast<int>(random.below(400))};
    const SheetLayout layout = lay_out(sheet, style);
    const auto boxes = everything(layout);
    texts += layout.texts.size();
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      ASSERT_EQ(boxes[i] & cv::Rect({0, 0}, layout.size), boxes[i]) << "seed " << seed << " box " << i;
      // Only the two lines may cross.
      const std::size_t others = i < layout.lines.size() ? 0 : i;
      for (std::size_t j = 0; j < others; ++j)
        ASSERT_TRUE((boxes[i] & boxes[j]).empty()) << "seed " << seed << ": " << i << ", " << j;
    }
    for (const auto& text : layout.texts) ASSERT_EQ(text.box.size(), text_size(text.text, text.lettering));
  }
  EXPECT_GT(texts, 3000u);
}

TEST(LayOut, KeepsLabelsOfManyRowsApartHoweverSmallTheTilesAre) {
  Sheet sheet;
  sheet.rows.assign(200, SheetRow{.label = "slope 0.2", .detail = "FD 1"});
  for (auto& row : sheet.rows) row.tiles.assign(3, cv::Mat(1, 1, CV_8UC1, cv::Scalar(0)));
  const auto layout = lay_out(sheet, {.scale = 1, .gap = 0});
  EXPECT_EQ(layout.texts.size(), 400u);
  for (std::size_t i = 1; i < layout.texts.size(); ++i) {
    EXPECT_TRUE((layout.texts[i].box & layout.texts[i - 1].box).empty());
  }
}

TEST(LayOut, SetsReferenceColumnsApartByALine) {
  Sheet sheet;
  sheet.rows = {SheetRow{.tiles = {4, cv::Mat(64, 64, CV_8UC1, cv::Scalar(0))}}};
  const auto plain = lay_out(sheet, {.gap = 4});
  sheet.reference_columns = 1;
  const auto divided = lay_out(sheet, {.gap = 4});
  EXPECT_TRUE(plain.lines.empty());
  ASSERT_EQ(divided.lines.size(), 1u);
  EXPECT_GT(divided.lines[0].x, divided.tiles[0].cell.br().x);
  EXPECT_LT(divided.lines[0].x, divided.tiles[1].cell.x);
  EXPECT_EQ(divided.lines[0].height, 64);
  EXPECT_EQ(divided.tiles[0].cell, plain.tiles[0].cell);
  EXPECT_EQ(divided.size.width - plain.size.width, divided.tiles[3].cell.x - plain.tiles[3].cell.x);
  sheet.reference_columns = 4;  // nothing to set them apart from
  EXPECT_EQ(lay_out(sheet, {.gap = 4}).size, plain.size);
}

/// Rows whose tiles are of the gray value of their number.
Sheet numbered_rows(int count) {
  Sheet sheet{.title = "title", .subtitle = "", .column_labels = {"a"}, .rows = {}};
  sheet.rows.push_back({.label = "real", .tiles = {cv::Mat(32, 32, CV_8UC1, cv::Scalar(250))}, .reference = true});
  for (int i = 0; i < count; ++i) {
    sheet.rows.push_back({.label = std::to_string(i), .tiles = {cv::Mat(32, 32, CV_8UC1, cv::Scalar(i))}});
  }
  return sheet;
}

TEST(SplitIntoPages, KeepsEveryRowInOrderBelowTheReferenceRows) {
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

TEST(SplitIntoPages, LeavesAloneWhatFitsAndWhatCannotBeSplit) {
  EXPECT_EQ(split_into_pages(numbered_rows(3), {}, 1000).size(), 1u);
  EXPECT_EQ(split_into_pages(numbered_rows(3), {}, 1000)[0].title, "title");
  EXPECT_EQ(split_into_pages(numbered_rows(1), {}, 10).size(), 1u);
  EXPECT_EQ(split_into_pages(numbered_rows(5), {}, 10).size(), 5u);  // a row a page, too high as it is
  EXPECT_EQ(split_into_pages({}, {}, 10).size(), 1u);
}

TEST(WriteSheet, NumbersItsFurtherPages) {
  const TemporaryDirectory directory;
  const auto files = write_sheet(directory / "grid.png", numbered_rows(250));
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0], directory / "grid.png");
  EXPECT_EQ(files[2], directory / "grid_3.png");
  EXPECT_LE(read_image(files[0]).rows, highest_page);
  EXPECT_EQ(write_sheet(directory / "one.png", numbered_rows(2)).size(), 1u);
}

}  // namespace
}  // namespace slopegan
