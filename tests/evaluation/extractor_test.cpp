#include "evaluation/extractor.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include "evaluation/classifier_extractor.h"
#include "evaluation/random_extractor.h"
#include "evaluation/torchscript_extractor.h"
#include "expect_error.h"
#include "images/convert.h"
#include "images/to_tensor.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/log.h"
#include "synthetic_dataset.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

const std::string golden = SLOPEGAN_TEST_DATA "/torchscript/";

at::Tensor images_in_range(std::int64_t count, std::int64_t channels) {
  std::vector<float> values(static_cast<std::size_t>(count * channels * 256));
  RandomStream(1, "tests/images").fill_uniform(values, -1, 1);
  return at::tensor(values).view({count, channels, 16, 16});
}

TEST(QuantiseToBytes, MatchesAPngRoundTrip) {
  const auto images = images_in_range(3, 3);
  const auto rounded = quantise_to_bytes(images);
  for (std::int64_t i = 0; i < 3; ++i) EXPECT_TRUE(at::allclose(rounded[i], to_tensor(to_mat(images[i])), 0, 1e-6));
}

TEST(Extractor, FeaturesDoNotDependOnTheBatch) {
  RandomExtractor extractor(1);
  const auto images = images_in_range(260, 1);  // more than one internal batch
  const auto all = extractor.extract(images).features;
  EXPECT_EQ(all.size(0), 260);
  EXPECT_TRUE(at::allclose(extractor.extract(images.narrow(0, 255, 5)).features, all.narrow(0, 255, 5), 1e-5, 1e-6));
}

TEST(Extractor, ExtractsTheFirstImagesOfADataset) {
  RandomExtractor extractor(1);
  const auto dataset = two_halves(300, 0);
  const auto some = extract_dataset(extractor, dataset, 270, 16).features;
  EXPECT_EQ(some.size(0), 270);
  EXPECT_TRUE(
      at::equal(extract_dataset(extractor, dataset, 1000, 16).features.narrow(0, 0, 20), some.narrow(0, 0, 20)));
}

TEST(RandomExtractor, HasANameThatDependsOnlyOnTheChannels) {
  EXPECT_THAT(RandomExtractor(1).name(), MatchesRegex("random-1-channel@[0-9a-f]{8}"));
  EXPECT_EQ(RandomExtractor(1).name(), RandomExtractor(1).name());
  EXPECT_NE(RandomExtractor(3).name(), RandomExtractor(1).name());
}

TEST(RandomExtractor, DistinguishesTextures) {
  RandomExtractor extractor(1);
  const auto flat = extractor.extract(at::zeros({2, 1, 32, 32})).features;
  const auto stripes = extractor.extract(at::ones({1, 1, 32, 32}).cumsum(3).remainder(2) * 2 - 1).features;
  EXPECT_TRUE(at::allclose(flat[0], flat[1], 1e-5, 1e-6));
  EXPECT_GT((flat[0] - stripes[0]).norm().item<double>(), 0.1);
}

TEST(ClassifierExtractor, LearnsTheLabelsAndIsTrainedOnce) {
  const CacheDirectory cache;
  const auto train = two_halves(400, 0), test = two_halves(100, 1);
  const ClassifierExtractor first(train, &test, 16);
  EXPECT_EQ(first.accuracy(), (ClassifierAccuracy{1.0, 0.5, 100}));
  EXPECT_THAT(first.name(), MatchesRegex("classifier-two-halves@[0-9a-f]{8}"));
  const auto written =
      std::filesystem::last_write_time(*std::filesystem::directory_iterator(cache.path() / "classifiers"));
  EXPECT_EQ(ClassifierExtractor(train, &test, 16).name(), first.name());
  EXPECT_EQ(std::filesystem::last_write_time(*std::filesystem::directory_iterator(cache.path() / "classifiers")),
            written);
}

TEST(ClassifierExtractor, DependsOnTheLabels) {
  const CacheDirectory cache;
  auto train = two_halves(200, 0);
  const std::string name = ClassifierExtractor(train, nullptr, 16).name();
  train.labels = 1 - train.labels;
  EXPECT_NE(ClassifierExtractor(train, nullptr, 16).name(), name);
}

TEST(ClassifierExtractor, MeasuresItsAccuracyOnAHeldOutTenthIfNoTestImagesAreLabelled) {
  const CacheDirectory cache;
  const auto train = two_halves(400, 0);
  const auto unlabelled = without_labels(two_halves(100, 1));
  const ClassifierExtractor extractor(train, &unlabelled, 16);
  ASSERT_TRUE(extractor.accuracy());
  EXPECT_EQ(extractor.accuracy()->accuracy, 1.0);
  EXPECT_EQ(extractor.accuracy()->images, 40);
  EXPECT_FALSE(ClassifierExtractor(two_halves(50, 0), nullptr, 16).accuracy());
}

TEST(ClassifierExtractor, IsTheSameAsInVersion0Point9ForARunFromThatVersion) {
  const CacheDirectory cache;
  const auto test = two_halves(100, 1);
  auto train = two_halves(400, 0);
  const std::string with_test = ClassifierExtractor(train, &test, 16).name();
  EXPECT_NE(ClassifierExtractor(train, nullptr, 16).name(), with_test);
  train.as_in_0_9 = true;
  EXPECT_EQ(ClassifierExtractor(train, nullptr, 16).name(), with_test);
}

TEST(ClassifierExtractor, WarnsIfTheLabelsAreUnrelatedToTheImages) {
  const CacheDirectory cache;
  // All images are identical, so the classifier predicts the same label for all of them.
  auto train = two_halves(200, 0);
  train.images = train.images.narrow(0, 0, 1).expand_as(train.images).contiguous();
  train.hash = hash_images(train.images);
  train.labels = at::arange(200).remainder(3).div(2, "floor");  // 0, 0, 1, 0, 0, 1, ...
  ::testing::internal::CaptureStderr();
  log::init({});
  const ClassifierExtractor extractor(train, nullptr, 16);
  log::init({});
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("the labels seem to be unrelated to the images"));
  ASSERT_TRUE(extractor.accuracy());
  EXPECT_TRUE(extractor.accuracy()->is_near_chance());
}

TEST(DefaultExtractor, IsTheClassifierOnlyIfTheLabelsAreSuitable) {
  auto dataset = two_halves(20, 0);
  EXPECT_TRUE(can_classify(dataset));
  dataset.labels = at::zeros({20}, at::kLong);
  EXPECT_FALSE(can_classify(dataset));
  dataset.labels[3] = -1;
  EXPECT_FALSE(can_classify(dataset));
  dataset.labels[3] = 1'000'000;
  EXPECT_FALSE(can_classify(dataset));
  EXPECT_FALSE(can_classify(without_labels(dataset)));
  EXPECT_FALSE(make_extractor("auto", without_labels(dataset), nullptr, 16, /*as_in_0_9=*/false)->has_classes());
}

TEST(TorchScriptExtractor, ReturnsFeaturesAndClassProbabilitiesWithTheConventionsOfInception) {
  TorchScriptExtractor extractor(golden + "extractor.pt");
  EXPECT_TRUE(extractor.has_classes());
  EXPECT_EQ(extractor.name(), "file-extractor@" + sha256_file(golden + "extractor.pt").substr(0, 8));
  auto image = at::full({1, 3, 8, 8}, -1.0);
  image[0][0].fill_(1);
  image[0][1].narrow(0, 0, 4).fill_(1);
  const auto found = extractor.extract(image.to(at::kFloat));
  const auto expected = at::tensor({255., 255., 255., 255., 255., 255., 0., 0., 0., 0., 0., 0.});
  EXPECT_TRUE(at::allclose(found.features[0], expected.to(at::kFloat)));
  const auto shares = at::softmax(found.logits[0], 0);
  EXPECT_NEAR(shares[0].item<double>(), 2.0 / 3, 1e-5);
  EXPECT_NEAR(shares[1].item<double>(), 1.0 / 3, 1e-5);
}

TEST(TorchScriptExtractor, ConvertsGrayImagesToThreeChannels) {
  TorchScriptExtractor extractor(golden + "plain.pt");
  EXPECT_FALSE(extractor.has_classes());
  const auto found = extractor.extract(at::ones({2, 1, 8, 8}));
  EXPECT_TRUE(at::equal(found.features, at::full({2, 3}, 255.0f)));
  EXPECT_FALSE(found.logits.defined());
}

TEST(TorchScriptExtractor, IsCalledInceptionIfTheFileNameAndTheNumberOfFeaturesMatch) {
  const TemporaryDirectory directory;
  for (const std::string stem : {"inception-2015-12-05", "inception"}) {  // 12 features, not 2,048
    std::filesystem::copy(golden + "extractor.pt", directory / (stem + ".pt"));
    EXPECT_THAT(TorchScriptExtractor(directory / (stem + ".pt")).name(), MatchesRegex("file-" + stem + "@.*"));
  }
  torch::jit::Module wide("Wide");
  wide.define("def forward(self, images):\n  return torch.zeros([images.size(0), 2048])\n");
  for (const std::string stem : {"inception-2015-12-05-wide", "wide"}) {
    wide.save(directory / (stem + ".pt"));
    const std::string title = stem == "wide" ? "file-wide" : "inception";
    EXPECT_THAT(TorchScriptExtractor(directory / (stem + ".pt")).name(), MatchesRegex(title + "@.*"));
  }
}

TEST(TorchScriptExtractor, RejectsInvalidFiles) {
  const TemporaryDirectory directory;
  const auto refused = [&](const std::filesystem::path& file) {
    return message_of<DataError>([&] { TorchScriptExtractor{file}; });
  };
  EXPECT_THAT(refused(directory / "missing.pt"),
              HasSubstr("missing.pt is not a file; metrics.extractor must be auto, classifier, "));
  EXPECT_THAT(refused(directory.path()), HasSubstr("is not a file"));
  EXPECT_THAT(refused(directory.write("text.pt", "not a module")), HasSubstr("text.pt is not a TorchScript module"));
  EXPECT_THAT(refused(golden + "broken.pt"),
              HasSubstr("broken.pt: the extractor fails on uint8 images [N, 3, H, W]: RuntimeError: mat1 and mat2 "
                        "shapes cannot be multiplied"));
  EXPECT_THAT(refused(golden + "infinite.pt"),
              HasSubstr("infinite.pt: the extractor returns features [N, d] that are not"));
}

}  // namespace
}  // namespace slopegan
