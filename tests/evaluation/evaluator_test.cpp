#include "evaluation/evaluator.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/enums.h"
#include "evaluation/classifier_extractor.h"
#include "evaluation/random_extractor.h"
#include "expect_error.h"
#include "metrics/figures.h"
#include "metrics/frechet_distance.h"
#include "support/errors.h"
#include "support/log.h"
#include "synthetic_dataset.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

Extraction extracted(Evaluator& evaluator, const Dataset& dataset, std::int64_t count) {
  return extract_dataset(evaluator.extractor(), dataset, count, 16);
}

MetricsConfig all_of(std::int64_t samples) {
  MetricsConfig metrics;
  metrics.samples = samples;
  metrics.names.push_back(MetricName::memorisation);
  return metrics;
}

class EvaluatorTest : public ::testing::Test {
 protected:
  Evaluator make(MetricsConfig metrics, const Dataset* test) const {
    return {std::move(metrics), std::make_unique<RandomExtractor>(1), train_, test, 16};
  }

  const CacheDirectory cache_;
  const Dataset train_ = two_halves(600, 0), test_ = two_halves(300, 1), generated_ = two_halves(300, 2);
};

TEST_F(EvaluatorTest, ScoresSamplesOfTheSameDistributionLikeRealImages) {
  auto evaluator = make(all_of(300), &test_);
  const auto record = evaluator.evaluate(extracted(evaluator, generated_, 300));
  EXPECT_EQ(record.samples, 300);
  EXPECT_EQ(record.floor_samples, 300);
  EXPECT_LT(record.values.at("fd"), 3 * record.floors.at("fd"));
  EXPECT_NEAR(record.values.at("fd"), *record.fd_bias, 0.5 * *record.fd_bias);  // the distance is only bias
  EXPECT_NEAR(record.values.at("precision"), record.floors.at("precision"), 0.1);
  EXPECT_NEAR(record.values.at("recall"), record.floors.at("recall"), 0.1);
  EXPECT_NEAR(record.values.at("density"), 1, 0.2);
  EXPECT_GT(record.values.at("coverage"), 0.85);
  EXPECT_LT(record.values.at("copied_share"), 0.05);
  EXPECT_FALSE(record.values.contains("classifier_score"));  // random features have no classes
}

TEST_F(EvaluatorTest, DetectsCopiesOfTrainingImages) {
  auto evaluator = make(all_of(300), &test_);
  const auto values = evaluator.evaluate(extracted(evaluator, train_, 300)).values;
  EXPECT_EQ(values.at("copied_share"), 1);
  EXPECT_LT(values.at("copying_z"), -10);
}

TEST_F(EvaluatorTest, UsesTheMomentsOfAllRealImagesForTheFrechetDistance) {
  auto evaluator = make(all_of(300), nullptr);
  RandomExtractor extractor(1);
  const auto real = extract_dataset(extractor, train_, 600, 16).features;
  const auto generated = extract_dataset(extractor, generated_, 200, 16).features;
  const double expected = frechet_distance(moments_of(real), moments_of(generated));
  const auto seen = extracted(evaluator, generated_, 200);
  EXPECT_NEAR(evaluator.evaluate(seen).values.at("fd"), expected, 1e-6 * expected);
  EXPECT_NEAR(evaluator.frechet_distance_of(seen.features), expected, 1e-6 * expected);
}

TEST_F(EvaluatorTest, GivesTheSameResultsFromTheCache) {
  const auto cached_files = [this] {
    std::map<std::string, std::filesystem::file_time_type> times;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cache_.path())) {
      if (entry.path().extension() == ".safetensors") times[entry.path().string()] = entry.last_write_time();
    }
    return times;
  };
  auto fresh = make(all_of(300), &test_);
  const auto first = fresh.evaluate(extracted(fresh, generated_, 300));
  const auto written = cached_files();
  EXPECT_EQ(written.size(), 4u) << "the features of the training and test images, the manifold and the floors";
  auto cached = make(all_of(300), &test_);
  const auto again = cached.evaluate(extracted(cached, generated_, 300));
  EXPECT_EQ(cached_files(), written);
  EXPECT_EQ(again.values, first.values);
  EXPECT_EQ(again.floors, first.floors);
  EXPECT_EQ(again.floors.size(), first.values.size());
}

TEST_F(EvaluatorTest, CachesEachFitSeparately) {
  const auto record_of = [&](ImageFit fit) {
    const auto narrow = [&](Dataset dataset) {  // 16 x 12 pixels, so that all fits differ
      dataset.images = dataset.images.slice(3, 2, 14).contiguous();
      dataset.hash = hash_images(dataset.images);
      dataset.fit = fit;
      return dataset;
    };
    const Dataset train = narrow(train_), test = narrow(test_);
    Evaluator evaluator(all_of(300), std::make_unique<RandomExtractor>(1), train, &test, 16);
    return evaluator.evaluate(extracted(evaluator, narrow(generated_), 300));
  };
  for (const auto fit : {ImageFit::pad, ImageFit::crop, ImageFit::stretch}) {
    const auto cached = record_of(fit);  // the cache contains the entries of the previous fits
    const CacheDirectory empty;
    const auto fresh = record_of(fit);
    for (const char* key : {"precision", "recall", "density", "coverage"}) {
      EXPECT_NEAR(cached.values.at(key), fresh.values.at(key), 1e-9) << name_of(fit) << " " << key;
    }
    for (const char* key : {"fd", "density"}) {
      EXPECT_NEAR(cached.floors.at(key), fresh.floors.at(key), 1e-6 * fresh.floors.at(key)) << name_of(fit);
    }
  }
}

TEST_F(EvaluatorTest, RepresentsALargeDataSetByARandomSubset) {
  constexpr auto most = Evaluator::most_real_images;
  std::vector<std::int64_t> all(static_cast<std::size_t>(most));
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(Evaluator::reference_images(most), all);
  const auto some = Evaluator::reference_images(4 * most);
  ASSERT_EQ(std::ssize(some), most);
  EXPECT_EQ(some, Evaluator::reference_images(4 * most));
  EXPECT_TRUE(std::is_sorted(some.begin(), some.end()));
  EXPECT_EQ(std::adjacent_find(some.begin(), some.end()), some.end());
  for (std::int64_t part = 0; part < 4; ++part) {  // every part of the data set, such as a class, is represented
    const auto count = std::count_if(some.begin(), some.end(), [&](std::int64_t i) { return i / most == part; });
    EXPECT_NEAR(static_cast<double>(count), 25'000, 1000);
  }
}

TEST_F(EvaluatorTest, ComparesOneHalfOfTheTestImagesWithTheOtherForFloors) {
  // If the test images were compared with themselves, exactly 1 % would count as copies, and copying_z and class_kl
  // would be 0.
  auto evaluator = make(all_of(300), &test_);
  const auto floors = evaluator.evaluate(extracted(evaluator, generated_, 300)).floors;
  EXPECT_NE(floors.at("copying_z"), 0);
  EXPECT_LT(std::abs(floors.at("copying_z")), 4);
  EXPECT_LT(floors.at("copied_share"), 0.05);
  Evaluator classes(all_of(100), std::make_unique<ClassifierExtractor>(train_, &test_, 16), train_, &test_, 16);
  const auto with_classes = classes.evaluate(extracted(classes, generated_, 100)).floors;
  EXPECT_GT(with_classes.at("class_kl"), 0);
  EXPECT_LT(with_classes.at("class_kl"), 0.1);
}

TEST_F(EvaluatorTest, ReportsHowManyRealImagesItCompares) {
  auto evaluator = make(all_of(200), &test_);
  const auto record = evaluator.evaluate(extracted(evaluator, generated_, 300));
  EXPECT_EQ(record.real_samples, 600);
  EXPECT_EQ(record.real_subset, 200);
  EXPECT_EQ(real_subset_text(record.values, record.real_subset, record.real_samples),
            "kd, precision, recall, density, coverage: 200 of the 600 real images");
  EXPECT_EQ(real_subset_text(record.values, 600, 600), "");
}

TEST_F(EvaluatorTest, ComputesOnlyTheNamedMetrics) {
  auto metrics = all_of(300);
  metrics.names = {MetricName::kd};
  auto evaluator = make(metrics, &test_);
  const auto record = evaluator.evaluate(extracted(evaluator, generated_, 300));
  EXPECT_EQ(record.values.size(), 1u);
  EXPECT_TRUE(record.values.contains("kd"));
}

TEST_F(EvaluatorTest, HasNoFloorsWithoutTestImages) {
  auto evaluator = make(all_of(300), nullptr);
  const auto record = evaluator.evaluate(extracted(evaluator, generated_, 300));
  EXPECT_TRUE(record.floors.empty());
  EXPECT_EQ(record.floor_samples, 0);
  EXPECT_FALSE(record.values.contains("copied_share"));
}

TEST_F(EvaluatorTest, DoesNotReportThatThereAreNoTestImagesIfThereAreTooFew) {
  const auto few = two_halves(3, 1);
  ::testing::internal::CaptureStderr();
  log::init({});
  make(all_of(300), &few);
  const std::string logged = ::testing::internal::GetCapturedStderr();
  log::init({});
  EXPECT_THAT(logged, HasSubstr("the metrics do not use the 3 test images, because at least 6 are needed"));
  EXPECT_THAT(logged, HasSubstr("no values for the metric memorisation: there are no test images that"
                                " the metrics can use"));
}

TEST_F(EvaluatorTest, ScoresTheClassesOfAClassifier) {
  Evaluator evaluator(all_of(300), std::make_unique<ClassifierExtractor>(train_, &test_, 16), train_, &test_, 16);
  const auto values = evaluator.evaluate(extracted(evaluator, generated_, 300)).values;
  EXPECT_NEAR(values.at("classifier_score"), 2, 0.05);  // two equally frequent classes, predicted with certainty
  EXPECT_NEAR(values.at("class_kl"), 0, 1e-9);
  std::set<std::string> keys, known;  // every computed value is in the list of all values, and vice versa
  for (const auto& [key, value] : values) keys.insert(key);
  for (const auto& figure : figures) known.insert(figure.key);
  EXPECT_EQ(keys, known);
  const auto all = extracted(evaluator, generated_, 300);
  const auto even = at::arange(0, 300, 2);
  const auto one_class =
      evaluator.evaluate({all.features.index_select(0, even), all.logits.index_select(0, even)}).values;
  EXPECT_NEAR(one_class.at("classifier_score"), 1, 0.05);
  EXPECT_NEAR(one_class.at("class_kl"), std::log(2), 1e-9);
}

TEST_F(EvaluatorTest, EvaluatesWithEveryDistinctExtractorInOrder) {
  auto extractors =
      make_extractors({"random", "auto", "random", "classifier"}, train_, &test_, 16, /*as_in_0_9=*/false);
  const auto evaluators = make_evaluators(all_of(100), std::move(extractors), train_, &test_, 16);
  ASSERT_EQ(evaluators.size(), 2u);  // auto selects the classifier
  std::vector<Extraction> extractions;
  for (const auto& evaluator : evaluators) extractions.push_back(extracted(*evaluator, generated_, 200));
  const auto record = evaluate_all(evaluators, extractions);
  EXPECT_THAT(record.extractor, HasSubstr("random-1-channel@"));
  EXPECT_EQ(record.real_samples, 600);
  EXPECT_EQ(record.features, extractions[0].features.size(1));
  ASSERT_EQ(record.others.size(), 1u);
  EXPECT_THAT(record.others[0].extractor, HasSubstr("classifier-two-halves@"));
  EXPECT_EQ(record.others[0].values, evaluators[1]->evaluate(extractions[1]).values);
  EXPECT_TRUE(record.others[0].floors.contains("fd"));
}

TEST_F(EvaluatorTest, RejectsTooFewImages) {
  auto evaluator = make(all_of(300), nullptr);
  EXPECT_THAT(message_of<DataError>([&] { evaluator.evaluate(extracted(evaluator, generated_, 5)); }),
              HasSubstr("generated: 5 images; metrics need at least 6"));
  const auto tiny = two_halves(1, 3);
  EXPECT_THAT(
      message_of<DataError>([&] { Evaluator(all_of(300), std::make_unique<RandomExtractor>(1), tiny, nullptr, 16); }),
      HasSubstr("two halves: 1 image; metrics need at least 6"));
}

}  // namespace
}  // namespace slopegan
