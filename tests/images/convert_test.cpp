#include "images/convert.h"

#include <limits>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "images/to_tensor.h"

namespace slopegan {
namespace {

int byte_of(double value, torch::ScalarType type = torch::kFloat32) {
  return to_mat(torch::full({1, 1, 1}, value, type)).at<uchar>(0, 0);
}

TEST(ToMat, RoundsToTheNearestByte) {
  EXPECT_EQ(byte_of(-1), 0);
  EXPECT_EQ(byte_of(1), 255);
  EXPECT_EQ(byte_of(100.4 / 127.5 - 1), 100);
  EXPECT_EQ(byte_of(100.6 / 127.5 - 1), 101);
}

TEST(ToMat, ClampsValuesAndMapsNanToBlack) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(byte_of(-1.5), 0);
  EXPECT_EQ(byte_of(300), 255);
  EXPECT_EQ(byte_of(infinity), 255);
  EXPECT_EQ(byte_of(-infinity), 0);
  EXPECT_EQ(byte_of(std::numeric_limits<double>::quiet_NaN()), 0);
}

TEST(ToMat, SupportsEveryFloatingPointDtype) {
  for (const auto type : {torch::kFloat64, torch::kFloat32, torch::kFloat16, torch::kBFloat16}) {
    EXPECT_EQ(byte_of(1, type), 255);
    EXPECT_EQ(byte_of(-0.5, type), 64);
    EXPECT_EQ(byte_of(std::numeric_limits<double>::quiet_NaN(), type), 0);
  }
}

TEST(ToMat, IsTheExactInverseOfToTensor) {
  cv::Mat bytes(16, 16, CV_8UC1);
  for (int i = 0; i < 256; ++i) bytes.at<uchar>(i / 16, i % 16) = static_cast<uchar>(i);
  EXPECT_EQ(cv::norm(to_mat(to_tensor(bytes)), bytes, cv::NORM_INF), 0);
  cv::Mat colours(8, 8, CV_8UC3);
  cv::randu(colours, cv::Scalar::all(0), cv::Scalar::all(256));
  EXPECT_EQ(cv::norm(to_mat(to_tensor(colours)), colours, cv::NORM_INF), 0);
  const cv::Mat part = colours(cv::Rect(2, 1, 3, 4));  // not contiguous
  EXPECT_EQ(cv::norm(to_mat(to_tensor(part)), part, cv::NORM_INF), 0);
}

TEST(ToMat, ConvertsRgbToBgr) {
  const auto red = torch::tensor({1.0f, -1.0f, -1.0f}).view({3, 1, 1});
  EXPECT_EQ(to_mat(red).at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 255));
  EXPECT_TRUE(torch::equal(to_tensor(to_mat(red)), red));
}

TEST(ToMats, SupportsAnyStrides) {
  const auto images = torch::rand({2, 3, 5, 4}).mul(2).sub(1);
  const auto expected = to_mats(images), found = to_mats(images.contiguous(torch::MemoryFormat::ChannelsLast));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1].size(), cv::Size(4, 5));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(cv::norm(found[i], expected[i], cv::NORM_INF), 0);
}

TEST(ToMats, SupportsTensorsThatRequireGradients) {
  EXPECT_EQ(to_mats(torch::zeros({1, 1, 2, 2}, torch::requires_grad())).front().at<uchar>(1, 1), 128);
}

TEST(ToMats, RejectsOtherShapesAndDtypes) {
  EXPECT_THROW(to_mats(torch::zeros({1, 2, 4, 4})), std::invalid_argument);
  EXPECT_THROW(to_mats(torch::zeros({1, 4, 4})), std::invalid_argument);
  EXPECT_THROW(to_mats(torch::zeros({1, 1, 0, 4})), std::invalid_argument);
  EXPECT_THROW(to_mat(torch::zeros({1, 1, 4, 4})), std::invalid_argument);
  EXPECT_THROW(to_mats(torch::zeros({1, 1, 4, 4}, torch::kByte)), std::invalid_argument);
  EXPECT_THROW(to_tensor(cv::Mat()), std::invalid_argument);
  EXPECT_THROW(to_tensor(cv::Mat(2, 2, CV_32FC1)), std::invalid_argument);
}

TEST(ToBytes, StoresChannelsLastInRgbOrder) {
  const auto images = torch::tensor({-1.0f, 1.0f, 0.0f, 1.0f, -1.0f, -1.0f}).view({1, 3, 1, 2});
  const auto bytes = to_bytes(images);
  EXPECT_TRUE(bytes.is_contiguous());
  // The pixels are (-1, 0, -1) and (1, 1, -1).
  EXPECT_TRUE(torch::equal(bytes, torch::tensor({0, 128, 0, 255, 255, 0}).to(torch::kByte).view({1, 1, 2, 3})));
}

}  // namespace
}  // namespace slopegan
