#include "sheets/class_sheets.h"

#include <algorithm>
#include <array>
#include <memory>

#include <ATen/ATen.h>

#include "data/dataset.h"
#include "data/transform.h"
#include "evaluation/classifier_extractor.h"
#include "images/convert.h"
#include "sampling/samples.h"
#include "sheets/sheet_parts.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::int64_t images_looked_at = 2048, images_a_batch = 256;

std::shared_ptr<const Dataset> labelled_data(const DataConfig& config) {
  auto train = load_dataset(config, Split::train);
  if (can_classify(*train)) return train;
  throw UsageError(printable(train->name) + " has no labels that a classifier could learn, so there are no classes");
}

/// Knows the classes of a data set.
class ClassJudge {
 public:
  explicit ClassJudge(const DataConfig& config)
      : train_(labelled_data(config)),
        test_(has_split(config, Split::test) ? load_dataset(config, Split::test) : nullptr),
        extractor_(*train_, test_.get(), config.resolution),
        resolution_(config.resolution),
        classes_(train_->labels.max().item<std::int64_t>() + 1) {}

  std::int64_t classes() const { return classes_; }
  at::Tensor classes_of(const at::Tensor& images) {
    return extractor_.extract(as_bytes_would_be(images)).logits.argmax(1);
  }
  double real_share(std::int64_t label) const { return train_->labels.eq(label).to(at::kDouble).mean().item<double>(); }
  /// The first real image of the class; empty where there is none.
  cv::Mat real_image(std::int64_t label) const {
    const auto places = train_->labels.eq(label).nonzero();
    if (places.size(0) == 0) return {};
    const std::array index = {places[0][0].item<std::int64_t>()};
    return to_mat(prepare_images(*train_, index, resolution_)[0]);
  }

 private:
  std::shared_ptr<const Dataset> train_, test_;
  ClassifierExtractor extractor_;
  std::int64_t resolution_, classes_;
};

/// The generator's images of each class, at most `most` of them, and how many there were.
struct ClassImages {
  std::vector<std::vector<cv::Mat>> tiles;
  std::vector<std::int64_t> counts;
};

ClassImages images_by_class(ClassJudge& judge, LoadedGenerator& loaded, std::size_t most) {
  const auto classes = static_cast<std::size_t>(judge.classes());
  ClassImages found{std::vector<std::vector<cv::Mat>>(classes), std::vector<std::int64_t>(classes)};
  for (const auto& latents : sample_latents(loaded.config, images_looked_at).split(images_a_batch)) {
    stop_if_asked();
    const auto images = generate_images(loaded.generator, latents, sheet_compute);
    const auto labels = judge.classes_of(images);
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      const auto label = static_cast<std::size_t>(labels[i].item<std::int64_t>());
      ++found.counts[label];
      if (found.tiles[label].size() < most) found.tiles[label].push_back(to_mat(images[i]));
    }
  }
  return found;
}

std::string class_label(std::int64_t label) { return "class " + std::to_string(label); }

}  // namespace

Sheet class_sheet(const Checkpoint& checkpoint, int columns) {
  auto loaded = load_generator(checkpoint);
  ClassJudge judge(loaded.config.data);
  const auto found = images_by_class(judge, loaded, static_cast<std::size_t>(columns));
  Sheet sheet;
  sheet.title = run_title(loaded) + ", by class";
  sheet.subtitle =
      run_subtitle(loaded) +
      format_text("; the first images of each class that a classifier sees in {}; left: a real one", images_looked_at);
  sheet.reference_columns = 1;
  for (std::int64_t label = 0; label < judge.classes(); ++label) {
    const auto c = static_cast<std::size_t>(label);
    SheetRow row;
    row.label = class_label(label);
    row.detail = format_text("{:.1f} % of images, {:.1f} % of real ones",
                             100 * static_cast<double>(found.counts[c]) / static_cast<double>(images_looked_at),
                             100 * judge.real_share(label));
    row.tiles = {judge.real_image(label)};
    row.tiles.insert(row.tiles.end(), found.tiles[c].begin(), found.tiles[c].end());
    row.tiles.resize(static_cast<std::size_t>(columns) + 1);
    sheet.rows.push_back(std::move(row));
  }
  return sheet;
}

Sheet slope_class_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed) {
  const auto chosen = arms_of_seed(arms, seed);
  ClassJudge judge(config.data);
  const auto classes = static_cast<std::size_t>(judge.classes());
  const ScoreLabels labels = score_labels(config, arms);
  Sheet sheet;
  sheet.title = config.run.name + ": slopes by class";
  sheet.subtitle =
      sweep_subtitle(config, seed,
                     format_text("the first image of each class that a classifier sees in {}", images_looked_at)) +
      labels.legend;
  SheetRow reals{.label = "real images", .detail = labels.floor, .reference = true};
  for (std::int64_t label = 0; label < judge.classes(); ++label) {
    sheet.column_labels.push_back(class_label(label));
    reals.tiles.push_back(judge.real_image(label));
  }
  sheet.rows.push_back(std::move(reals));
  for (const auto& arm : chosen) {
    auto [row, loaded] = arm_generator(config, arm);
    add_detail(row, labels.slopes.at(arm.negative_slope));
    row.tiles.resize(classes);
    if (loaded) {
      const auto found = images_by_class(judge, *loaded, 1);
      for (std::size_t c = 0; c < classes; ++c) {
        if (!found.tiles[c].empty()) row.tiles[c] = found.tiles[c].front();
      }
    }
    sheet.rows.push_back(std::move(row));
  }
  return sheet;
}

}  // namespace slopegan
