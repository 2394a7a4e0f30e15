#include "images/draw_text.h"

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "support/text.h"

namespace slopegan {
namespace {

const TextStyle text_style{.size = 14, .bold = false, .colour = cv::Scalar::all(0)};

cv::Mat canvas(cv::Size size) { return cv::Mat(size, CV_8UC3, cv::Scalar::all(255)); }

/// The bounding box of all pixels that are not white.
cv::Rect inked(const cv::Mat& image) {
  cv::Rect box;
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      if (image.at<cv::Vec3b>(y, x) != cv::Vec3b(255, 255, 255)) box |= cv::Rect(x, y, 1, 1);
    }
  }
  return box;
}

TEST(TextSize, CoversEverythingDrawn) {
  for (const std::string text :
       {"slope 0.2", "jgpqy[](){}|", "WWW", "real images, Q", "j", "@#$%&", "|", "iiii|", "[_]", "Größe ÅÉ", "Ελληνικά",
        "Кириллица", "日本語", "A\u030a n\u0303", "± × … ★", "ÿ\xff\x80"}) {
    const cv::Size size = text_size(text, text_style);
    cv::Mat image = canvas(size + cv::Size(40, 40));
    draw_text(image, text, {20, 20}, text_style);
    const cv::Rect box({20, 20}, size), ink = inked(image);
    EXPECT_GT(ink.area(), 0) << text;
    EXPECT_EQ(ink & box, ink) << text;
  }
}

TEST(DrawText, ClipsToTheImageAndDrawsNothingForAnEmptyText) {
  cv::Mat image = canvas({30, 10});
  draw_text(image, "", {5, 5}, text_style);
  EXPECT_TRUE(inked(image).empty());
  draw_text(image, "much too long for this", {-10, -5}, text_style);
  EXPECT_FALSE(inked(image).empty());
  draw_text(image, "outside", {100, 100}, text_style);
}

/// The mean darkness of the drawn text, from 0 (white) to 255 (black).
double ink_of(const std::string& text, const TextStyle& style = text_style) {
  cv::Mat image = canvas(text_size(text, style));
  draw_text(image, text, {0, 0}, style);
  return 255 - cv::mean(image)[0];
}

bool look_alike(const std::string& first, const std::string& second) {
  const cv::Size size = text_size(first, text_style);
  if (size != text_size(second, text_style)) return false;
  cv::Mat one = canvas(size), other = canvas(size);
  draw_text(one, first, {0, 0}, text_style);
  draw_text(other, second, {0, 0}, text_style);
  return cv::norm(one, other, cv::NORM_INF) == 0;
}

TEST(DrawText, DrawsEveryCharacterOfTheFontAndABoxForAnyOther) {
  for (const char* letter : {"é", "ö", "±", "λ", "Ж", "★", "…", "−"}) {
    EXPECT_FALSE(look_alike(letter, "日")) << letter;
    EXPECT_GT(ink_of(letter), 5) << letter;
  }
  EXPECT_TRUE(look_alike("日", "本"));
  EXPECT_TRUE(look_alike("日本", "\U0001F9EC\U0001F9EC"));
  EXPECT_FALSE(look_alike("Größe", "Grosse"));
  EXPECT_TRUE(look_alike("e\u200d\ufe0f", "e"));  // a joiner and a variation selector
  EXPECT_NEAR(text_size("u\u0308", text_style).width, text_size("ü", text_style).width, 1);
}

TEST(DrawText, DrawsAQuestionMarkForControlCharactersAndInvalidBytes) {
  EXPECT_TRUE(look_alike("a\nb", "a?b"));
  EXPECT_TRUE(look_alike("a\xff\x80", "a??"));
  EXPECT_TRUE(look_alike("\xe2\x82", "??"));  // the last byte of the character is missing
}

TEST(DrawText, BoldTextHasMoreInkAndADoubledFontSizeDoublesWidthAndHeight) {
  TextStyle bold = text_style, large = text_style;
  bold.bold = true;
  large.size *= 2;
  EXPECT_GT(ink_of("slope 0.2", bold), 1.2 * ink_of("slope 0.2"));
  EXPECT_NEAR(text_size("slope 0.2", large).width, 2 * text_size("slope 0.2", text_style).width, 3);
  EXPECT_NEAR(line_height(large), 2 * line_height(text_style), 3);
}

TEST(DrawText, VerticalTextIsTheSameTextRotated) {
  const cv::Size size = text_size("slope", text_style);
  cv::Mat level = canvas(size), vertical = canvas({size.height, size.width}), turned;
  draw_text(level, "slope", {0, 0}, text_style);
  draw_vertical_text(vertical, "slope", {0, 0}, text_style);
  cv::rotate(level, turned, cv::ROTATE_90_COUNTERCLOCKWISE);
  EXPECT_EQ(cv::norm(vertical, turned, cv::NORM_INF), 0);
}

TEST(Shorten, KeepsTextThatFitsAndReplacesTheMiddleOtherwise) {
  EXPECT_EQ(shorten("slope 0.2", 500, text_style), "slope 0.2");
  const std::string shortened = shorten("a very long label indeed, from September", 120, text_style);
  EXPECT_TRUE(shortened.starts_with("a very")) << shortened;
  EXPECT_TRUE(shortened.ends_with("tember")) << shortened;
  EXPECT_NE(shortened.find("…"), std::string::npos);
  EXPECT_LE(text_size(shortened, text_style).width, 120);
  EXPECT_GT(text_size(shortened, text_style).width, 100);
}

TEST(Shorten, NeverExceedsTheWidthAndNeverCutsACharacter) {
  for (int width = 0; width < 90; ++width) {
    for (const std::string text :
         {"slope", "i", "a b", "WWWW", "ÄÖÜäöü", "Ελληνικά", "日本語日本語", "u\u0308a\u0308o\u0308"}) {
      const std::string shortened = shorten(text, width, text_style);
      EXPECT_LE(text_size(shortened, text_style).width, width) << text;
      EXPECT_EQ(printable(shortened), shortened) << text;
      EXPECT_EQ(shortened.find("…\u0308"), std::string::npos) << text;
    }
  }
}

TEST(Wrap, BreaksAtSpacesAndKeepsEveryWord) {
  const std::string text = "a column shows the same latent at every slope";
  const auto lines = wrap(text, 150, text_style);
  EXPECT_GT(lines.size(), 1u);
  std::string joined;
  for (const auto& line : lines) {
    EXPECT_LE(text_size(line, text_style).width, 150);
    joined += (joined.empty() ? "" : " ") + line;
  }
  EXPECT_EQ(joined, text);
  EXPECT_TRUE(wrap("", 150, text_style).empty());
  EXPECT_EQ(wrap(std::string(100, 'x'), 150, text_style).size(), 1u);
}

TEST(Wrap, ShortensTheLastAllowedLine) {
  const std::string text = "a column shows the same latent at every slope";
  const auto lines = wrap(text, 100, text_style, 2);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], wrap(text, 100, text_style)[0]);
  EXPECT_LE(text_size(lines[1], text_style).width, 100);
  EXPECT_TRUE(lines[1].ends_with("slope"));
  EXPECT_NE(lines[1].find("…"), std::string::npos);
}

}  // namespace
}  // namespace slopegan
