#include "images/lettering.h"

#include <gtest/gtest.h>

namespace slopegan {
namespace {

const Lettering lettering{.size = 12, .stroke = 1.4, .colour = cv::Scalar::all(0)};

cv::Mat canvas(cv::Size size) { return cv::Mat(size, CV_8UC3, cv::Scalar::all(255)); }

/// The smallest box around everything that is not white.
cv::Rect inked(const cv::Mat& image) {
  cv::Rect box;
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      if (image.at<cv::Vec3b>(y, x) != cv::Vec3b(255, 255, 255)) box |= cv::Rect(x, y, 1, 1);
    }
  }
  return box;
}

TEST(TextSize, HoldsAllThatIsDrawn) {
  for (const std::string text :
       {"slope 0.2", "jgpqy[](){}|", "WWW", "real images, Q", "j", "@#$%&", "|", "iiii|", "[_]"}) {
    const cv::Size size = text_size(text, lettering);
    cv::Mat image = canvas(size + cv::Size(40, 40));
    draw_text(image, text, {20, 20}, lettering);
    const cv::Rect box({20, 20}, size), ink = inked(image);
    EXPECT_GT(ink.area(), 0) << text;
    EXPECT_EQ(ink & box, ink) << text;
    // A letter that is cut by the box leaves dark pixels on its border.
    double darkest = 0;
    for (const cv::Mat& border :
         {image(box).row(0), image(box).row(size.height - 1), image(box).col(0), image(box).col(size.width - 1)}) {
      cv::minMaxLoc(border.clone().reshape(1), &darkest, nullptr);
      EXPECT_GT(darkest, 100) << text;
    }
  }
}

TEST(DrawText, TouchesNothingForAnEmptyTextAndStaysInsideTheImage) {
  cv::Mat image = canvas({30, 10});
  draw_text(image, "", {5, 5}, lettering);
  EXPECT_TRUE(inked(image).empty());
  draw_text(image, "much too long for this", {-10, -5}, lettering);
  EXPECT_FALSE(inked(image).empty());
  draw_text(image, "outside", {100, 100}, lettering);
}

TEST(DrawText, DrawsOneQuestionMarkForACharacterThatTheFontLacks) {
  EXPECT_EQ(text_size("0.1 \xc3\x97 2", lettering), text_size("0.1 ? 2", lettering));
  EXPECT_EQ(text_size("a\nb", lettering), text_size("a?b", lettering));
}

TEST(Shorten, KeepsWhatFitsAndMarksWhatDoesNot) {
  EXPECT_EQ(shorten("slope 0.2", 500, lettering), "slope 0.2");
  const std::string shortened = shorten("a very long label indeed", 100, lettering);
  EXPECT_TRUE(shortened.starts_with("a very"));
  EXPECT_TRUE(shortened.ends_with("..."));
  EXPECT_LE(text_size(shortened, lettering).width, 100);
}

TEST(Shorten, IsNeverWiderThanItMayBe) {
  for (int width = 0; width < 60; ++width) {
    for (const std::string text : {"slope", "i", "a b", "WWWW"}) {
      EXPECT_LE(text_size(shorten(text, width, lettering), lettering).width, width) << text;
    }
  }
}

TEST(Wrap, BreaksAtSpacesAndLosesNoWord) {
  const std::string text = "a column shows the same latent at every slope";
  const auto lines = wrap(text, 150, lettering);
  EXPECT_GT(lines.size(), 1u);
  std::string joined;
  for (const auto& line : lines) {
    EXPECT_LE(text_size(line, lettering).width, 150);
    joined += (joined.empty() ? "" : " ") + line;
  }
  EXPECT_EQ(joined, text);
  EXPECT_TRUE(wrap("", 150, lettering).empty());
  EXPECT_EQ(wrap(std::string(100, 'x'), 150, lettering).size(), 1u);
}

}  // namespace
}  // namespace slopegan
