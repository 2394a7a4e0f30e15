#pragma once

#include "evaluation/extractor.h"
#include "models/classifier.h"

namespace slopegan {

/// Whether the labels make a task for a classifier: 2 to 1,000 classes, numbered from 0.
bool can_classify(const Dataset& train);

/// A classifier trained on the labels of the real training images and then cached by their hash. Its tanh features are
/// the default feature space where there are labels.
class ClassifierExtractor : public FeatureExtractor {
 public:
  /// Takes the classifier from the cache or trains it, about a minute on two cores for Fashion-MNIST, and logs its
  /// accuracy on the test images where there are labelled ones. The same data give the same classifier up to rounding;
  /// its hash in the name tells classifiers apart. Throws StoppedError when a signal asks to stop meanwhile.
  ClassifierExtractor(const Dataset& train, const Dataset* test, std::int64_t resolution);

  bool has_classes() const override { return true; }

  /// Share of the test images whose class it tells; NaN where there are none with labels.
  double test_accuracy() const { return accuracy_; }

 private:
  struct Trained {
    Classifier classifier;
    std::string name;
    double accuracy;
  };
  explicit ClassifierExtractor(Trained trained);
  static Trained load_or_train(const Dataset& train, const Dataset* test, std::int64_t resolution);

  Extraction extract_batch(const at::Tensor& images) override;

  Classifier classifier_;
  double accuracy_;
};

}  // namespace slopegan
