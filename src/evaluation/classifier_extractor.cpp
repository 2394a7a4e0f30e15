#include "evaluation/classifier_extractor.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <numeric>
#include <tuple>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/optim/adam.h>

#include "data/transform.h"
#include "evaluation/cache.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/random.h"
#include "support/seconds_since.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Part of the cache key; incremented whenever the network or its training changes by more than rounding.
constexpr int classifier_version = 2;
constexpr std::uint64_t classifier_seed = 0;
constexpr std::int64_t batch_size = 128, epochs = 5, least_steps = 100, most_steps = 4000;
constexpr double peak_learning_rate = 2e-3;
constexpr std::int64_t most_classes = 1000;

std::int64_t class_count(const Dataset& dataset) { return dataset.labels.max().item<std::int64_t>() + 1; }

/// With fewer images than this, none are held out, because the accuracy on a tenth of them would not be meaningful.
constexpr std::int64_t least_images_to_hold_out = 100;

/// The indices of the images on which the classifier is trained, and of those on which its accuracy is measured if
/// there are no labelled test images.
struct Parts {
  std::vector<std::int64_t> trained, held_out;
};

/// Holds out a fixed random tenth if there are no labelled test images. For runs from version 0.9, nothing is held out,
/// so that their classifier does not change.
Parts split_images(const Dataset& train, const Dataset* test) {
  const auto count = train.size();
  const bool has_test = test != nullptr && test->has_labels();
  const bool hold_out = !has_test && !train.as_in_0_9 && count >= least_images_to_hold_out;
  Parts parts;
  if (!hold_out) {
    parts.trained.resize(static_cast<std::size_t>(count));
    std::iota(parts.trained.begin(), parts.trained.end(), 0);
    return parts;
  }
  const auto order = keyed_permutation(classifier_seed, "classifier.held_out", 0, static_cast<std::uint32_t>(count));
  parts.held_out.assign(order.begin(), order.begin() + count / 10);
  parts.trained.assign(order.begin() + count / 10, order.end());
  return parts;
}

/// The training batches. Each epoch has a new order, and each image is mirrored with probability 1/2. A digit
/// classifier need not be invariant to mirroring, but the invariance costs little accuracy, and it improves the
/// accuracy on clothing.
class LabelledBatches {
 public:
  LabelledBatches(const Dataset& dataset, const std::vector<std::int64_t>& images, std::int64_t resolution)
      : dataset_(dataset),
        images_(images),
        resolution_(resolution),
        size_(std::min(batch_size, std::ssize(images))),
        per_epoch_(std::ssize(images) / size_) {}

  std::int64_t steps() const { return std::clamp(epochs * per_epoch_, least_steps, most_steps); }

  std::pair<at::Tensor, at::Tensor> batch(std::int64_t step) {
    if (step % per_epoch_ == 0) {
      order_ = keyed_permutation(classifier_seed, "classifier.order", static_cast<std::uint64_t>(step / per_epoch_),
                                 static_cast<std::uint32_t>(images_.size()));
    }
    const auto first = order_.begin() + (step % per_epoch_) * size_;
    std::vector<std::int64_t> indices;
    for (auto place = first; place != first + size_; ++place) indices.push_back(images_[*place]);
    return {mirrored(prepare_images(dataset_, indices, resolution_), step),
            dataset_.labels.index_select(0, at::tensor(indices, at::kLong))};
  }

 private:
  static at::Tensor mirrored(const at::Tensor& images, std::int64_t step) {
    std::vector<float> draws(static_cast<std::size_t>(images.size(0)));
    RandomStream(classifier_seed, "classifier.flip", static_cast<std::uint64_t>(step)).fill_uniform(draws, 0, 1);
    const auto flip = at::tensor(draws).lt(0.5).view({-1, 1, 1, 1});
    return at::where(flip, images.flip(3), images);
  }

  const Dataset& dataset_;
  const std::vector<std::int64_t>& images_;
  std::int64_t resolution_, size_, per_epoch_;
  std::vector<std::uint32_t> order_;
};

void train_classifier(Classifier& classifier, const Dataset& dataset, const std::vector<std::int64_t>& indices,
                      std::int64_t resolution) {
  LabelledBatches batches(dataset, indices, resolution);
  torch::optim::Adam optimizer(classifier->parameters(), torch::optim::AdamOptions(peak_learning_rate));
  classifier->train();
  const std::int64_t steps = batches.steps();
  for (std::int64_t step = 0; step < steps; ++step) {
    if (const int signal = stop_signal()) {
      throw StoppedError(signal, format_text("stopped after {} of {} steps of training the feature extractor; the next "
                                             "run will train it from the beginning",
                                             step, steps));
    }
    const double left = 1 - static_cast<double>(step) / static_cast<double>(steps);
    static_cast<torch::optim::AdamOptions&>(optimizer.param_groups()[0].options()).lr(peak_learning_rate * left);
    const auto [images, labels] = batches.batch(step);
    optimizer.zero_grad();
    at::cross_entropy_loss(classifier->forward(images).logits, labels).backward();
    optimizer.step();
  }
  classifier->eval();
}

double accuracy_of(const at::Tensor& logits, const at::Tensor& labels) {
  return logits.argmax(1).eq(labels).to(at::kDouble).mean().item<double>();
}

/// The accuracy of always guessing the most frequent class.
double accuracy_of_guessing(const at::Tensor& labels) {
  return labels.eq(std::get<0>(labels.mode(0))).to(at::kDouble).mean().item<double>();
}

/// Warns if the classifier is no better than guessing, because the labels are then probably unrelated to the images.
void warn_near_chance(const ClassifierAccuracy& classifier) {
  if (!classifier.is_near_chance()) return;
  log::warning(
      "the classifier whose features the metrics use has " + accuracy_text(classifier) +
      ": the labels seem to be unrelated to the images; set data.labels to none to compute the metrics without labels");
}

/// Returns the name of the cache file. It contains a hash of everything that determines the trained weights.
std::string cache_name(const Dataset& train, std::int64_t resolution, const Parts& parts) {
  const NamedTensors labels = {{"labels", train.labels}};
  std::string text =
      format_text("classifier {} {} {} {}", classifier_version, resolution, train.pixel_key(), tensor_hash(labels));
  if (!parts.held_out.empty()) text += " without a tenth";
  return "classifiers/" + sha256_hex(text).substr(0, 32) + ".safetensors";
}

/// Returns the title for extractor_name(): "classifier-" and the name of the data set. Special characters are replaced,
/// because the extractor's name is used in tables and file names.
std::string title_of(const Dataset& dataset) {
  std::string title = "classifier-";
  for (const unsigned char c : printable(dataset.name, 40)) title += std::isalnum(c) ? static_cast<char>(c) : '-';
  return title;
}

}  // namespace

bool can_classify(const Dataset& train) {
  if (!train.has_labels() || train.labels.min().item<std::int64_t>() < 0) return false;
  const auto classes = class_count(train);
  return classes >= 2 && classes <= most_classes;
}

ClassifierExtractor::ClassifierExtractor(const Dataset& train, const Dataset* test, std::int64_t resolution)
    : ClassifierExtractor(load_or_train(train, test, resolution)) {}

ClassifierExtractor::ClassifierExtractor(Trained trained)
    : FeatureExtractor(trained.name), classifier_(trained.classifier), accuracy_(trained.accuracy) {}

std::optional<ClassifierAccuracy> ClassifierExtractor::measure_accuracy(const Trained& trained, const Dataset& train,
                                                                        const Dataset* test,
                                                                        const std::vector<std::int64_t>& held_out,
                                                                        std::int64_t resolution) {
  Dataset unseen;
  if (!held_out.empty()) {
    const auto indices = at::tensor(held_out, at::kLong);
    unseen = train;
    unseen.images = train.images.index_select(0, indices);
    unseen.labels = train.labels.index_select(0, indices);
  } else if (test != nullptr && test->has_labels()) {
    unseen = *test;
  } else {
    return std::nullopt;
  }
  ClassifierExtractor extractor(trained);
  const auto logits = extract_dataset(extractor, unseen, unseen.size(), resolution).logits;
  return ClassifierAccuracy{accuracy_of(logits, unseen.labels), accuracy_of_guessing(unseen.labels), unseen.size()};
}

ClassifierExtractor::Trained ClassifierExtractor::load_or_train(const Dataset& train, const Dataset* test,
                                                                std::int64_t resolution) {
  Classifier classifier(resolution, train.channels(), class_count(train), classifier_seed);
  const Parts parts = split_images(train, test);
  double seconds = 0;
  const auto make = [&] {
    log::info(format_text("training a classifier on {} labelled images as the feature extractor (once per data set)",
                          parts.trained.size()));
    const auto start = std::chrono::steady_clock::now();
    train_classifier(classifier, train, parts.trained, resolution);
    seconds = seconds_since(start);
    return Safetensors{named_tensors(*classifier), {}};
  };
  const Safetensors weights = cached_tensors(cache_name(train, resolution, parts), source_of(train), make);
  restore_tensors(named_tensors(*classifier), weights.tensors);
  classifier->eval();
  Trained trained{classifier, extractor_name(title_of(train), tensor_hash(weights.tensors)), std::nullopt};
  trained.accuracy = measure_accuracy(trained, train, test, parts.held_out, resolution);
  std::string accuracy = "accuracy unknown without labelled test images";
  if (trained.accuracy) {
    accuracy = format_text("{:.2f} % accuracy on {}", 100 * trained.accuracy->accuracy,
                           parts.held_out.empty() ? "the test images" : "a held-out tenth of the images");
    warn_near_chance(*trained.accuracy);
  }
  log::info("feature extractor " + trained.name + ": " + accuracy +
            (seconds > 0 ? format_text(", trained in {:.0f} s", seconds) : ""));
  return trained;
}

Extraction ClassifierExtractor::extract_batch(const at::Tensor& images) {
  const auto output = classifier_->forward(images);
  return {output.features, output.logits};
}

bool ClassifierExtractor::move_network(at::Device device) {
  classifier_->to(device);
  return true;
}

}  // namespace slopegan
