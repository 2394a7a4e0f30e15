#include "images/draw_text.h"

#include <gtest/gtest.h>

namespace slopegan {
namespace {

const TextStyle text_style{.size = 12, .stroke = 1.4, .colour = cv::Scalar::all(0)};

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
       {"slope 0.2", "jgpqy[](){}|", "WWW", "real images, Q", "j", "@#$%&", "|", "iiii|", "[_]"}) {
    const cv::Size size = text_size(text, text_style);
    cv::Mat image = canvas(size + cv::Size(40, 40));
    draw_text(image, text, {20, 20}, text_style);
    const cv::Rect box({20, 20}, size), ink = inked(image);
    EXPECT_GT(ink.area(), 0) << text;
    EXPECT_EQ(ink & box, ink) << text;
    // Dark pixels on the border would belong to a clipped letter.
    double darkest = 0;
    for (const cv::Mat& border :
         {image(box).row(0), image(box).row(size.height - 1), image(box).col(0), image(box).col(size.width - 1)}) {
      cv::minMaxLoc(border.clone().reshape(1), &darkest, nullptr);
      EXPECT_GT(darkest, 100) << text;
    }
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

TEST(DrawText, DrawsAQuestionMarkForEachCharacterThatTheFontLacks) {
  EXPECT_EQ(text_size("0.1 \xc3\x97 2", text_style), text_size("0.1 ? 2", text_style));
  EXPECT_EQ(text_size("a\nb", text_style), text_size("a?b", text_style));
}

TEST(Shorten, KeepsTextThatFitsAndAppendsDotsOtherwise) {
  EXPECT_EQ(shorten("slope 0.2", 500, text_style), "slope 0.2");
  const std::string shortened = shorten("a very long label indeed", 100, text_style);
  EXPECT_TRUE(shortened.starts_with("a very"));
  EXPECT_TRUE(shortened.ends_with("..."));
  EXPECT_LE(text_size(shortened, text_style).width, 100);
}

TEST(Shorten, NeverExceedsTheWidth) {
  for (int width = 0; width < 60; ++width) {
    for (const std::string text : {"slope", "i", "a b", "WWWW"}) {
      EXPECT_LE(text_size(shorten(text, width, text_style), text_style).width, width) << text;
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

}  // namespace
}  // namespace slopegan
