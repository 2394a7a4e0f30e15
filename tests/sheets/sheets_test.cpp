#include "sheets/sheets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "images/grid.h"
#include "images/image_file.h"
#include "sampling/samples.h"
#include "sheets/sheet_parts.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

TEST(SignedDifference, IsWhiteForZeroRedIfBrighterAndBlueIfDarker) {
  const cv::Mat first = (cv::Mat_<uchar>(1, 5) << 100, 100, 100, 0, 255);
  const cv::Mat second = (cv::Mat_<uchar>(1, 5) << 100, 110, 40, 255, 0);
  const cv::Mat picture = signed_difference(first, second);
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 0), cv::Vec3b(255, 255, 255));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 1), cv::Vec3b(245, 245, 255));  // slightly brighter: pale red
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 2), cv::Vec3b(255, 195, 195));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 3), cv::Vec3b(0, 0, 255));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 4), cv::Vec3b(255, 0, 0));
}

TEST(SignedDifference, AveragesTheChannels) {
  const cv::Mat first(2, 2, CV_8UC3, cv::Scalar(10, 20, 30)), second(2, 2, CV_8UC3, cv::Scalar(10, 20, 90));
  EXPECT_EQ(signed_difference(first, second).at<cv::Vec3b>(1, 1), cv::Vec3b(235, 235, 255));
  EXPECT_EQ(signed_difference(first, first).at<cv::Vec3b>(0, 1), cv::Vec3b(255, 255, 255));
}

TEST(SignedDifference, ShowsOppositeChangesOfTheChannels) {
  const cv::Mat first(1, 1, CV_8UC3, cv::Scalar(100, 100, 100));
  const auto difference_to = [&](const cv::Scalar& colour) {
    return signed_difference(first, cv::Mat(1, 1, CV_8UC3, colour)).at<cv::Vec3b>(0, 0);
  };
  EXPECT_EQ(difference_to({40, 100, 160}), cv::Vec3b(215, 215, 215));  // equally bright, but a different colour
  EXPECT_EQ(difference_to({40, 103, 160}), cv::Vec3b(214, 214, 255));
  EXPECT_EQ(difference_to({40, 97, 160}), cv::Vec3b(255, 214, 214));
}

TEST(SweepSheets, ShowEverySettingOfACondition) {
  Sheet sheet;
  for (const std::string norm : {"none", "spectral"}) {
    Arm arm;
    arm.settings = {{"generator.norm", "self_modulated"},
                    {"discriminator.norm", norm},
                    {"optimizer.generator_lr", "0.0012"},
                    {"loss.gradient_penalty", "10"}};
    SheetRow row = labelled_row(arm);
    add_detail(row, "FD 12.3 ± 0.4 (3 seeds)");
    row.tiles.assign(2, cv::Mat(32, 32, CV_8UC1, cv::Scalar(0)));
    sheet.rows.push_back(row);
  }
  std::string shown;
  const SheetLayout layout = lay_out(sheet, sweep_style(0, {}));
  for (const auto& text : layout.texts) {
    shown += text.text + " ";
    EXPECT_LT(text.box.br().x, layout.tiles.front().cell.x) << text.text;
  }
  for (const auto& row : sheet.rows) EXPECT_THAT(shown, ::testing::HasSubstr(row.detail));
}

TEST(SampleTiles, AreReadFromGridsOfAnySize) {
  const TemporaryDirectory directory;
  Config config;
  config.data.resolution = 128;
  config.samples.rows = 24;
  config.samples.columns = 32;  // more than 12 megapixels
  const std::vector<cv::Mat> tiles(24 * 32, cv::Mat(128, 128, CV_8UC1, cv::Scalar(40)));
  const RunPaths run(directory.path());
  std::filesystem::create_directory(run.samples_dir());
  write_png(run.samples_file(1000), tile_grid(tiles, samples_layout(config.samples)));
  const auto read = sample_tiles(run, 1000, config, 40);
  ASSERT_EQ(read.size(), 40u);
  for (const auto& tile : read) EXPECT_EQ(tile.size(), cv::Size(128, 128));
}

}  // namespace
}  // namespace slopegan
