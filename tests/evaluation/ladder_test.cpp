// Real images of Fashion-MNIST are degraded step by step, and every metric must change in the expected direction.
#include <numeric>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "data/transform.h"
#include "evaluation/classifier_extractor.h"
#include "evaluation/evaluator.h"
#include "support/random.h"
#include "support/ranges.h"

namespace slopegan {
namespace {

constexpr std::int64_t ladder_samples = 1500;

class FashionMnistLadder : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    DataConfig data;
    train_ = load_dataset(data, Split::train);
    test_ = load_dataset(data, Split::test);
    auto extractor = std::make_unique<ClassifierExtractor>(*train_, test_.get(), 32);
    accuracy_ = extractor->accuracy().value().accuracy;
    MetricsConfig metrics;
    metrics.samples = ladder_samples;
    metrics.names.push_back(MetricName::memorisation);
    evaluator_ = std::make_unique<Evaluator>(metrics, std::move(extractor), *train_, test_.get(), 32);
  }
  static void TearDownTestSuite() {
    evaluator_.reset();
    train_.reset();
    test_.reset();
  }

  /// Returns the indices of the last test images of these classes.
  static std::vector<std::int64_t> held_out(const std::vector<std::int64_t>& classes) {
    const std::int64_t* labels = test_->labels.const_data_ptr<std::int64_t>();
    std::vector<std::int64_t> indices;
    for (std::int64_t i = test_->size() - 1; i >= 0 && std::ssize(indices) < ladder_samples; --i) {
      if (contains(classes, labels[i])) indices.push_back(i);
    }
    return indices;
  }
  static std::vector<std::int64_t> first_classes(std::int64_t count) {
    std::vector<std::int64_t> classes(static_cast<std::size_t>(count));
    std::iota(classes.begin(), classes.end(), 0);
    return classes;
  }
  static at::Tensor real_images() { return prepare_images(*test_, held_out(first_classes(10)), 32); }
  static std::map<std::string, double> values_of(const at::Tensor& images) {
    return evaluator_->evaluate(evaluator_->extractor().extract(quantise_to_bytes(images))).values;
  }
  static at::Tensor with_noise(const at::Tensor& images, float deviation) {
    std::vector<float> noise(static_cast<std::size_t>(images.numel()));
    RandomStream(0, "tests/noise").fill_normal(noise);
    return (images + deviation * at::tensor(noise).view(images.sizes())).clamp(-1, 1);
  }
  static at::Tensor blurred(const at::Tensor& images, std::int64_t size) {
    if (size == 1) return images;
    return at::avg_pool2d(images, {size, size}, {1, 1}, {size / 2, size / 2}, false, /*count_include_pad=*/false);
  }

  static inline std::shared_ptr<const Dataset> train_, test_;
  static inline std::unique_ptr<Evaluator> evaluator_;
  static inline double accuracy_ = 0;
};

// The accuracy is about 91.6 %. Its last digits depend on the processor, because rounding errors grow during training.
TEST_F(FashionMnistLadder, UsesAClassifierWithAtLeastNinetyPercentAccuracy) { EXPECT_GE(accuracy_, 0.90); }

TEST_F(FashionMnistLadder, RealTestImagesScoreAtTheFloor) {
  const auto record = evaluator_->evaluate(evaluator_->extractor().extract(real_images()));
  EXPECT_NEAR(record.values.at("fd"), record.floors.at("fd"), 0.3 * record.floors.at("fd"));
  EXPECT_NEAR(record.values.at("precision"), record.floors.at("precision"), 0.05);
  EXPECT_NEAR(record.values.at("coverage"), record.floors.at("coverage"), 0.05);
  EXPECT_NEAR(record.values.at("classifier_score"), record.floors.at("classifier_score"), 0.3);
}

TEST_F(FashionMnistLadder, NoiseRaisesFdAndKdAndLowersPrecision) {
  auto last = values_of(real_images());
  // Beyond the last of these noise levels, the classifier maps every image to nearly the same features (those of the
  // class "bag"), so FD keeps rising but precision stops falling.
  for (const float deviation : {0.05f, 0.1f, 0.15f}) {
    const auto values = values_of(with_noise(real_images(), deviation));
    EXPECT_GT(values.at("fd"), 1.2 * last.at("fd")) << deviation;
    EXPECT_GT(values.at("kd"), last.at("kd")) << deviation;
    EXPECT_LT(values.at("precision"), last.at("precision")) << deviation;
    last = values;
  }
}

TEST_F(FashionMnistLadder, BlurRaisesFdAndKdAndLowersPrecision) {
  auto last = values_of(real_images());
  for (const std::int64_t size : {3, 5, 9}) {
    const auto values = values_of(blurred(real_images(), size));
    EXPECT_GT(values.at("fd"), 1.2 * last.at("fd")) << size;
    EXPECT_GT(values.at("kd"), last.at("kd")) << size;
    EXPECT_LT(values.at("precision"), last.at("precision")) << size;
    last = values;
  }
}

TEST_F(FashionMnistLadder, DroppedClassesLowerRecallAndCoverageAndRaiseClassKl) {
  auto last = values_of(real_images());
  for (const std::int64_t classes : {8, 6, 4}) {
    const auto values = values_of(prepare_images(*test_, held_out(first_classes(classes)), 32));
    EXPECT_LT(values.at("recall"), last.at("recall")) << classes;
    EXPECT_LT(values.at("coverage"), last.at("coverage")) << classes;
    EXPECT_GT(values.at("fd"), last.at("fd")) << classes;
    EXPECT_GT(values.at("class_kl"), last.at("class_kl")) << classes;
    EXPECT_LT(values.at("classifier_score"), last.at("classifier_score")) << classes;
    last = values;
  }
}

TEST_F(FashionMnistLadder, CopiedTrainingImagesRaiseCopiedShareAndLowerCopyingZ) {
  const auto originals = real_images();
  std::vector<std::int64_t> copied(static_cast<std::size_t>(originals.size(0)));
  std::iota(copied.begin(), copied.end(), 0);
  const auto copies = prepare_images(*train_, copied, 32);
  auto last = values_of(originals);
  EXPECT_LT(last.at("copied_share"), 0.03);
  for (const double share : {0.1, 0.5, 1.0}) {
    const auto count = static_cast<std::int64_t>(share * static_cast<double>(originals.size(0)));
    const auto mixed = at::cat({copies.narrow(0, 0, count), originals.narrow(0, count, originals.size(0) - count)});
    const auto values = values_of(mixed);
    EXPECT_GE(values.at("copied_share"), share) << share;
    EXPECT_LT(values.at("copying_z"), last.at("copying_z")) << share;
    last = values;
  }
}

}  // namespace
}  // namespace slopegan
