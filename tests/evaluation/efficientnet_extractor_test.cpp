#include "evaluation/efficientnet_extractor.h"

#include <fstream>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluation/efficientnet_weights.h"
#include "evaluation/synthetic_dataset.h"
#include "expect_error.h"
#include "images/image_file.h"
#include "images/to_tensor.h"
#include "run/safetensors.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string photographs = SLOPEGAN_TEST_DATA "/efficientnet/";

at::Tensor photograph(const std::string& name) {
  return to_tensor(read_image(photographs + name + ".jpg")).unsqueeze(0);
}

at::Tensor all_photographs() {
  return at::cat({photograph("cat"), photograph("coffee"), photograph("photographer").expand({-1, 3, -1, -1})});
}

double relative_error(const at::Tensor& found, const at::Tensor& expected) {
  return ((found - expected).norm() / expected.norm()).item<double>();
}

TEST(EfficientNetExtractor, MatchesTheReferenceNetwork) {
  SLOPEGAN_REQUIRE_WEIGHTS();
  const auto expected = read_safetensors(photographs + "expected.safetensors").tensors;
  for (const std::int64_t size : {224, 128}) {
    EfficientNetExtractor extractor(*installed_weights(), size);
    const auto features = extractor.extract(all_photographs()).features;
    const std::string suffix = "_" + std::to_string(size);
    EXPECT_LT(relative_error(features, expected.at("features" + suffix)), 1e-4) << size;
    EXPECT_LT(relative_error(extractor.network().logits(features), expected.at("logits" + suffix)), 1e-4) << size;
  }
}

TEST(EfficientNetExtractor, ClassifiesPhotographsCorrectly) {
  SLOPEGAN_REQUIRE_WEIGHTS();
  EfficientNetExtractor extractor(*installed_weights(), 224);
  const auto classes = extractor.network().logits(extractor.extract(all_photographs()).features).argmax(1);
  EXPECT_THAT(classes[0].item<int>(), ::testing::AnyOf(281, 282, 285));  // tabby, tiger cat, Egyptian cat
  EXPECT_EQ(classes[1].item<int>(), 967);                                // espresso
  EXPECT_EQ(classes[2].item<int>(), 872);                                // tripod
}

TEST(EfficientNetExtractor, AcceptsImagesOfAnySizeAndGrayImages) {
  SLOPEGAN_REQUIRE_WEIGHTS();
  EfficientNetExtractor extractor(*installed_weights());
  EXPECT_EQ(extractor.name(),
            "efficientnet-lite0-" + std::to_string(EfficientNetExtractor::default_input_size) + "@7880d583");
  EXPECT_FALSE(extractor.has_classes());
  const auto gray = at::rand({2, 1, 32, 32}) * 2 - 1;
  const auto features = extractor.extract(gray).features;
  EXPECT_EQ(features.sizes(), (at::IntArrayRef{2, EfficientNetLite0::feature_count}));
  EXPECT_TRUE(at::allclose(extractor.extract(gray.repeat({1, 3, 1, 1})).features, features, 1e-4, 1e-5));
  EXPECT_TRUE(extractor.extract(at::ones({1, 3, 256, 256})).features.isfinite().all().item<bool>());
}

TEST(EfficientNetExtractor, FeaturesOfAnImageDoNotDependOnOtherImages) {
  SLOPEGAN_REQUIRE_WEIGHTS();
  EfficientNetExtractor extractor(*installed_weights(), 64);
  const auto images = at::rand({19, 3, 32, 32}) * 2 - 1;  // more than one task
  const auto all = extractor.extract(images).features;
  EXPECT_TRUE(at::allclose(extractor.extract(images.narrow(0, 17, 2)).features, all.narrow(0, 17, 2), 1e-4, 1e-5));
}

TEST(EfficientNetExtractor, RejectsADifferentFile) {
  const TemporaryDirectory directory;
  const auto file = directory.write("efficientnet_lite0.safetensors", "not the weights");
  EXPECT_THAT(message_of<DataError>([&] { EfficientNetExtractor{file}; }),
              AllOf(HasSubstr("efficientnet_lite0.safetensors is not the published weights file"),
                    HasSubstr("scripts/install_ruler.py")));
  EXPECT_THROW(EfficientNetExtractor(directory / "missing"), DataError);
}

TEST(EfficientNetWeights, AreFoundInTheCache) {
  const CacheDirectory cache;
  const auto before = find_efficientnet_weights();
  EXPECT_NE(before, cache.path() / "rulers/efficientnet_lite0.safetensors");
  fs::create_directories(cache.path() / "rulers");
  std::ofstream(cache.path() / "rulers/efficientnet_lite0.safetensors") << "any";
  EXPECT_EQ(find_efficientnet_weights(), cache.path() / "rulers/efficientnet_lite0.safetensors");
}

TEST(AutomaticExtractor, IsTheClassifierIfThereAreLabelsAndOtherwiseDependsOnColour) {
  const auto gray = two_halves(20, 0), colour = two_halves(20, 0, 3);
  EXPECT_EQ(automatic_extractor(gray, false), ExtractorKind::classifier);
  EXPECT_EQ(automatic_extractor(colour, false), ExtractorKind::classifier);
  EXPECT_EQ(automatic_extractor(without_labels(gray), false), ExtractorKind::random);
  EXPECT_EQ(automatic_extractor(without_labels(colour), false), ExtractorKind::efficientnet_lite0);
  EXPECT_EQ(automatic_extractor(without_labels(colour), /*as_in_0_9=*/true), ExtractorKind::random);
}

TEST(CheckExtractor, NamesTheCommandThatInstallsMissingWeights) {
  const CacheDirectory cache;
  const auto colour = without_labels(two_halves(20, 0, 3));
  // The test program is one directory deeper than slopegan. It therefore does not find the weights in build/rulers,
  // unless the build directory is `build` itself.
  if (find_efficientnet_weights()) GTEST_SKIP() << "the weights are installed next to the tests";
  EXPECT_THAT(
      message_of<DataError>([&] { check_extractor("auto", colour, false); }),
      AllOf(HasSubstr("python3 "), HasSubstr("scripts/install_ruler.py"), HasSubstr("metrics.extractor=random")));
  check_extractor("random", colour, false);
  EXPECT_THAT(message_of<DataError>([&] { check_extractor("classifier", colour, false); }),
              HasSubstr("metrics.extractor = classifier needs images with labels"));
  EXPECT_THAT(message_of<DataError>([&] { check_extractor("efficientnet-b0", colour, false); }),
              HasSubstr("efficientnet-b0 is not a file; metrics.extractor must be auto, classifier, "
                        "efficientnet-lite0, random or the path of a TorchScript file"));
}

}  // namespace
}  // namespace slopegan
