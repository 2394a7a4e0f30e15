#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "images/sheet.h"
#include "support/random.h"

namespace slopegan {
namespace {

SheetRow labelled_row(const std::string& label, std::size_t tiles) {
  return {.label = label, .tiles = {tiles, cv::Mat(32, 32, CV_8UC1, cv::Scalar(0))}};
}

const std::string many_words =
    "A text of many words that has to be broken into lines because the sheet is narrow, and is then also shortened";

TEST(LayOut, ACaptionHasAtMostTwoLinesAndANarrowSheetIsWidenedForIt) {
  Sheet sheet;
  sheet.rows = {labelled_row("slope 0.2", 2)};
  const int narrow = lay_out(sheet, {}).size.width;
  const auto lines = [&](int repeats) {
    sheet.caption = many_words;
    for (int i = 1; i < repeats; ++i) sheet.caption += " " + many_words;
    std::vector<std::string> texts;
    for (const auto& text : lay_out(sheet, {}).texts) texts.push_back(text.text);
    return texts;
  };
  EXPECT_EQ(lines(2)[0] + " " + lines(2)[1], sheet.caption);
  EXPECT_GT(lay_out(sheet, {}).size.width, narrow);
  ASSERT_EQ(lines(9).size(), 3u);  // the third is the label
  EXPECT_THAT(lines(9)[1], ::testing::HasSubstr("…"));
  EXPECT_TRUE(lines(9)[1].ends_with("shortened"));
  sheet.caption = "one\ntwo words";
  ASSERT_EQ(lay_out(sheet, {}).texts.size(), 3u);
  EXPECT_EQ(lay_out(sheet, {}).texts[1].text, "two words");
  sheet.caption = many_words + "\n" + many_words;
  EXPECT_EQ(lay_out(sheet, {}).texts[1].text, many_words);
  sheet.caption = many_words + " " + many_words + "\n" + many_words;  // the first line is too long
  EXPECT_EQ(lay_out(sheet, {}).texts.size(), 3u);
  const SheetLayout fixed = lay_out(sheet, {.text_width = 300});
  EXPECT_EQ(fixed.size.width, 300 + 2 * SheetStyle{}.margin);
}

TEST(LayOut, ALongTitleKeepsItsStartAndItsEnd) {
  Sheet sheet;
  sheet.title = std::string(300, 'x') + ": which negative slope?";
  const auto title = lay_out(sheet, {}).texts.front().text;
  EXPECT_TRUE(title.starts_with("xxxxxxxx"));
  EXPECT_THAT(title, ::testing::HasSubstr("…"));
  EXPECT_TRUE(title.ends_with("x: which negative slope?"));
}

TEST(LayOut, ColumnLabelsAreVerticalIfOneDoesNotFit) {
  Sheet sheet;
  sheet.rows = {labelled_row("", 3)};
  const auto labels_at = [&](int scale, const std::vector<std::string>& labels) {
    sheet.column_labels = labels;
    return lay_out(sheet, {.scale = scale}).texts;
  };
  for (const auto& text : labels_at(2, {"bag", "ankle boot", "shirt"})) EXPECT_FALSE(text.vertical);
  EXPECT_EQ(labels_at(2, {"bag", "ankle boots and others", "shirt"}).size(), 4u);  // one of them has two lines
  const auto vertical = labels_at(1, {"bag", "ankle boot", "T-shirt/top"});
  ASSERT_EQ(vertical.size(), 3u);
  for (const auto& text : vertical) {
    EXPECT_TRUE(text.vertical);
    EXPECT_GT(text.box.height, text.box.width);
  }
  EXPECT_EQ(vertical[2].text, "T-shirt/top");
}

const char* const words[] = {"",
                             "0",
                             "slope 0.2",
                             "FD 12.3 ± 0.4 (3 seeds)",
                             "1000000000",
                             "WWWW",
                             "jgpqy[]{}",
                             "café Größe",
                             "a label that is longer than any limit in this test",
                             "x y",
                             "日本語",
                             "Ελληνικά",
                             "diverged",
                             "ReLU (linear)",
                             "Pneumonoultramicroscopicsilicovolcanoconiosis"};

std::string random_text(RandomStream& random) {
  std::string text = words[random.below(std::size(words))];
  for (std::uint32_t i = random.below(3); i > 0; --i) text += std::string(" ") + words[random.below(std::size(words))];
  return text;
}

/// A sheet with random labels and a random number of gray or BGR tiles of random sizes. Some tiles are missing.
Sheet random_sheet(RandomStream& random) {
  Sheet sheet{random_text(random), random_text(random) + " " + random_text(random), {}, {}};
  const auto rows = random.below(6), columns = 1 + random.below(7);
  for (std::uint32_t c = random.below(columns + 2); c > 0; --c) sheet.column_labels.push_back(random_text(random));
  for (std::uint32_t r = 0; r < rows; ++r) {
    SheetRow row{.label = random_text(random), .detail = random_text(random)};
    row.reference = r == 0 && random.below(2) == 0;
    row.best = random.below(3) == 0;
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

std::vector<cv::Rect> all_boxes(const SheetLayout& layout) {
  std::vector<cv::Rect> boxes = layout.lines;
  boxes.insert(boxes.end(), layout.marks.begin(), layout.marks.end());
  for (const auto& text : layout.texts) boxes.push_back(text.box);
  for (const auto& tile : layout.tiles) boxes.push_back(tile.cell);
  return boxes;
}

TEST(LayOut, ElementsDoNotOverlapAndStayInsideThePicture) {
  std::size_t texts = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    RandomStream random(seed, "tests/lay_out");
    const Sheet sheet = random_sheet(random);
    const SheetStyle style{.scale = static_cast<int>(random.below(4)),
                           .gap = static_cast<int>(random.below(8)),
                           .margin = static_cast<int>(random.below(30)),
                           .max_label_width = 20 + static_cast<int>(random.below(400)),
                           .picture = {.pixel_ratio = 1 + static_cast<int>(random.below(2))}};
    const SheetLayout layout = lay_out(sheet, style);
    const auto boxes = all_boxes(layout);
    texts += layout.texts.size();
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      ASSERT_EQ(boxes[i] & cv::Rect({0, 0}, layout.size), boxes[i]) << "seed " << seed << " box " << i;
      // Only lines may cross each other.
      const std::size_t others = i < layout.lines.size() ? 0 : i;
      for (std::size_t j = 0; j < others; ++j)
        ASSERT_TRUE((boxes[i] & boxes[j]).empty()) << "seed " << seed << ": " << i << ", " << j;
    }
    for (const auto& text : layout.texts) {
      const cv::Size size = text_size(text.text, text.style);
      ASSERT_EQ(text.box.size(), text.vertical ? cv::Size(size.height, size.width) : size);
    }
  }
  EXPECT_GT(texts, 3000u);
}

TEST(LayOut, LabelsOfSmallTilesDoNotOverlap) {
  Sheet sheet;
  sheet.rows.assign(200, SheetRow{.label = "slope 0.2", .detail = "FD 1"});
  for (auto& row : sheet.rows) row.tiles.assign(3, cv::Mat(1, 1, CV_8UC1, cv::Scalar(0)));
  const auto layout = lay_out(sheet, {.scale = 1, .gap = 0});
  EXPECT_EQ(layout.texts.size(), 400u);
  for (std::size_t i = 1; i < layout.texts.size(); ++i) {
    EXPECT_TRUE((layout.texts[i].box & layout.texts[i - 1].box).empty());
  }
}

TEST(LayOut, SeparatesReferenceColumnsWithALine) {
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
  sheet.reference_columns = 4;  // no other columns to separate them from
  EXPECT_EQ(lay_out(sheet, {.gap = 4}).size, plain.size);
}

}  // namespace
}  // namespace slopegan
