#pragma once

#include "evaluation/extractor.h"
#include "models/classifier.h"

namespace slopegan {

/// Whether the labels are suitable for training a classifier: 2 to 1,000 classes, numbered from 0.
bool can_classify(const Dataset& train);

/// A classifier that is trained on the real training images and their labels, and cached under a hash of both. Its tanh
/// features are the default feature space for data with labels.
class ClassifierExtractor : public FeatureExtractor {
 public:
  /// Loads the classifier from the cache or trains it (about a minute on two cores for Fashion-MNIST), and logs its
  /// accuracy on the test images if these have labels, otherwise on a held-out tenth of the training images. Warns if
  /// the classifier is no better than guessing. The same data give the same classifier up to rounding; classifiers that
  /// differ have different hashes in their names. Throws StoppedError when the process receives a signal to stop.
  ClassifierExtractor(const Dataset& train, const Dataset* test, std::int64_t resolution);

  bool has_classes() const override { return true; }

  /// The accuracy on the labelled test images or, if there are none, on the held-out images; std::nullopt if there are
  /// neither.
  std::optional<ClassifierAccuracy> accuracy() const override { return accuracy_; }

 private:
  struct Trained {
    Classifier classifier;
    std::string name;
    std::optional<ClassifierAccuracy> accuracy;
  };
  explicit ClassifierExtractor(Trained trained);
  static Trained load_or_train(const Dataset& train, const Dataset* test, std::int64_t resolution);

  /// Returns std::nullopt if there are no images on which the accuracy can be measured.
  static std::optional<ClassifierAccuracy> measure_accuracy(const Trained& trained, const Dataset& train,
                                                            const Dataset* test,
                                                            const std::vector<std::int64_t>& held_out,
                                                            std::int64_t resolution);

  Extraction extract_batch(const at::Tensor& images) override;
  bool move_network(at::Device device) override;

  Classifier classifier_;
  std::optional<ClassifierAccuracy> accuracy_;
};

}  // namespace slopegan
