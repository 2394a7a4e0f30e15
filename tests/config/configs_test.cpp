#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/print.h"
#include "config/validate.h"

namespace slopegan {
namespace {

using ::testing::IsEmpty;

const std::filesystem::path folder = std::filesystem::path(SLOPEGAN_SOURCE_DIR) / "configs";

TEST(ShippedConfigs, LoadWithoutWarningsAndAreValidSweeps) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    const auto loaded = load_config(entry.path());
    EXPECT_THAT(loaded.warnings, IsEmpty()) << entry.path();
    EXPECT_THAT(validate_sweep(loaded.config), IsEmpty()) << entry.path();
    EXPECT_EQ(loaded.config.run.name, entry.path().stem())
        << "the names must match, so that no two configurations write to the same directory";
  }
  EXPECT_GE(count, 9);
}

TEST(ShippedConfigs, FashionMnistHasTheDefaultValues) {
  EXPECT_THAT(differences(load_config(folder / "fashion_mnist.yaml").config, Config{}), IsEmpty());
}

TEST(ShippedConfigs, SampleAndCheckpointIntervalsDivideTheLengthOfTheRun) {
  for (const std::string name : {"fashion_mnist", "fashion_mnist_sweep", "quickstart", "smoke", "emoji", "medmnist",
                                 "cifar10", "faces_64", "faces_128"}) {
    const Config config = load_config(folder / (name + ".yaml")).config;
    EXPECT_EQ(config.training.total_images % config.samples.every_images, 0) << name;
    EXPECT_EQ(config.training.total_images % config.checkpoint.every_images, 0) << name;
  }
}

}  // namespace
}  // namespace slopegan
