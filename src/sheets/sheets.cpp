#include "sheets/sheets.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>

#include <ATen/ATen.h>
#include <opencv2/core.hpp>

#include "data/dataset.h"
#include "data/summary.h"
#include "data/transform.h"
#include "evaluation/classifier_extractor.h"
#include "images/convert.h"
#include "images/grid.h"
#include "sampling/samples.h"
#include "sheets/score_labels.h"
#include "sheets/sheet_parts.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// The first four sample images of an arm, in a 2 x 2 grid; empty if there are none.
cv::Mat first_four(const Arm& arm, std::int64_t images, const Config& config) {
  const auto tiles = sample_tiles(RunPaths(arm.directory), images, config, 4);
  if (tiles.front().empty()) return {};
  const int size = tiles.front().cols;
  cv::Mat square(2 * size, 2 * size, tiles.front().type(), cv::Scalar::all(255));
  for (int i = 0; i < 4; ++i) {
    const auto& tile = tiles[static_cast<std::size_t>(i)];
    if (!tile.empty()) tile.copyTo(square(cv::Rect(i % 2 * size, i / 2 * size, size, size)));
  }
  return square;
}

/// The arm with `slope` among the arms of one seed. Throws UsageError if there is none.
const Arm& arm_of_slope(const std::vector<Arm>& arms, double slope) {
  std::vector<std::string> slopes;
  for (const auto& arm : arms) {
    if (arm.negative_slope == slope) return arm;
    slopes.push_back(shortest(arm.negative_slope));
  }
  throw UsageError("the sweep has no slope " + shortest(slope) + "; it has " + join(slopes, ", "));
}

SheetRow difference_row(const SheetRow& first, const SheetRow& second) {
  SheetRow row;
  row.label = "difference";
  double sum = 0;
  for (std::size_t i = 0; i < first.tiles.size(); ++i) {
    row.tiles.push_back(signed_difference(first.tiles[i], second.tiles[i]));
    sum += cv::norm(first.tiles[i], second.tiles[i], cv::NORM_L1) /
           static_cast<double>(first.tiles[i].total() * first.tiles[i].elemSize());
  }
  row.detail = format_text("mean {:.1f} of 255", sum / static_cast<double>(first.tiles.size()));
  return row;
}

// --- Classes --------------------------------------------------------------------------------------------------------

constexpr std::int64_t classified_images = 2048, classified_batch = 256;

std::shared_ptr<const Dataset> labelled_data(const DataConfig& config) {
  auto train = load_dataset(config, Split::train);
  if (can_classify(*train)) return train;
  throw UsageError(printable(train->name) +
                   " has no labels that a classifier can be trained with, so there are no classes");
}

/// The classes of a data set and the classifier that predicts them.
class DatasetClassifier {
 public:
  explicit DatasetClassifier(const DataConfig& config)
      : train_(labelled_data(config)),
        test_(load_test_split(config, *train_)),
        extractor_(*train_, test_.get(), config.resolution),
        resolution_(config.resolution),
        classes_(train_->labels.max().item<std::int64_t>() + 1) {}

  std::int64_t classes() const { return classes_; }
  /// "Trouser", or "class 1" if the classes have no names.
  std::string name(std::int64_t label) const {
    return (train_->class_names.empty() ? "class " : "") + label_text(*train_, label);
  }
  /// int64 [N] labels of float32 [N, C, R, R] images.
  at::Tensor classify(const at::Tensor& images) {
    return extractor_.extract(quantise_to_bytes(images)).logits.argmax(1);
  }
  /// The fraction of the training data that belongs to the class.
  double real_share(std::int64_t label) const { return train_->labels.eq(label).to(at::kDouble).mean().item<double>(); }
  /// The first training image of the class; empty if there is none.
  cv::Mat real_image(std::int64_t label) const {
    const auto indices = train_->labels.eq(label).nonzero();
    if (indices.size(0) == 0) return {};
    const std::array index = {indices[0][0].item<std::int64_t>()};
    return to_mat(prepare_images(*train_, index, resolution_)[0]);
  }

 private:
  std::shared_ptr<const Dataset> train_, test_;
  ClassifierExtractor extractor_;
  std::int64_t resolution_, classes_;
};

/// The generated images of each class: the first few as tiles, and the total count.
struct ClassImages {
  std::vector<std::vector<cv::Mat>> tiles;
  std::vector<std::int64_t> counts;
};

ClassImages images_by_class(DatasetClassifier& classifier, LoadedGenerator& loaded, std::size_t most) {
  const auto classes = static_cast<std::size_t>(classifier.classes());
  ClassImages found{std::vector<std::vector<cv::Mat>>(classes), std::vector<std::int64_t>(classes)};
  for (const auto& latents : sample_latents(loaded.config, classified_images).split(classified_batch)) {
    throw_if_stopped();
    const auto images = generate_images(loaded.generator, latents, sheet_compute);
    const auto labels = classifier.classify(images);
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      const auto label = static_cast<std::size_t>(labels[i].item<std::int64_t>());
      ++found.counts[label];
      if (found.tiles[label].size() < most) found.tiles[label].push_back(to_mat(images[i]));
    }
  }
  return found;
}

/// Rows = slopes, columns = images seen. Each tile shows the first four of the samples that the arm wrote at that point
/// in training. Throws UsageError if no arm has written samples.
Sheet slope_time_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns) {
  const auto chosen = arms_of_seed(arms, seed);
  std::set<std::int64_t> counts;
  for (const auto& arm : chosen) counts.merge(RunPaths(arm.directory).sample_counts());
  if (counts.empty()) throw UsageError("no arm has written samples yet");
  const auto times = spread(counts, static_cast<std::size_t>(columns));
  Sheet sheet;
  sheet.title = config.run.name + ": slopes over training";
  const ScoreLabels labels = score_labels(config, arms);
  sheet.caption = labels.explain(
      sweep_caption(config, seed, "columns: number of images seen; the four latents are always the same"));
  for (const auto images : times) sheet.column_labels.push_back(grouped(images));
  for (const auto& arm : chosen) {
    SheetRow row = labelled_row(arm);
    labels.add_to(row, arm);
    for (const auto images : times) row.tiles.push_back(first_four(arm, images, config));
    sheet.rows.push_back(std::move(row));
  }
  separate_conditions(sheet, chosen);
  return sheet;
}

}  // namespace

Sheet slope_contact_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns) {
  const auto chosen = arms_of_seed(arms, seed);
  Sheet sheet;
  sheet.title = config.run.name + ": which negative slope?";
  const ScoreLabels labels = score_labels(config, arms);
  sheet.caption = labels.explain(sweep_caption(config, seed, "each column shows one latent at every slope"));
  sheet.rows = reference_rows(config, columns);
  for (auto& row : sheet.rows) add_detail(row, labels.floor);
  for (const auto& arm : chosen) {
    sheet.rows.push_back(
        slope_row(config, arm, columns, [=](const Config& own) { return sample_latents(own, columns); }));
    labels.add_to(sheet.rows.back(), arm);
  }
  separate_conditions(sheet, chosen);
  return sheet;
}

cv::Mat signed_difference(const cv::Mat& first, const cv::Mat& second) {
  CV_Assert(first.type() == second.type() && first.size() == second.size());
  cv::Mat picture(first.size(), CV_8UC3);
  const int channels = first.channels();
  for (int y = 0; y < first.rows; ++y) {
    const uchar *before = first.ptr(y), *after = second.ptr(y);
    for (int x = 0; x < first.cols; ++x) {
      // Opposite changes of two channels cancel in the sum, so the absolute values set the strength of the colour.
      int sum = 0, strength = 0;
      for (int c = 0; c < channels; ++c) {
        const int change = after[x * channels + c] - before[x * channels + c];
        sum += change;
        strength += std::abs(change);
      }
      const auto faded = static_cast<uchar>(255 - strength / channels);
      picture.at<cv::Vec3b>(y, x) = sum > 0   ? cv::Vec3b(faded, faded, 255)
                                    : sum < 0 ? cv::Vec3b(255, faded, faded)
                                              : cv::Vec3b(faded, faded, faded);
    }
  }
  return picture;
}

Sheet slope_difference_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns,
                             double first, double second) {
  const auto chosen = arms_of_seed(arms, seed);
  const ScoreLabels labels = score_labels(config, arms);
  Sheet sheet;
  sheet.title = config.run.name + ": slope " + shortest(first) + " against " + shortest(second);
  sheet.caption =
      labels.explain(sweep_caption(config, seed,
                                   "each column shows one latent at both slopes; red: slope " + shortest(second) +
                                       " is brighter, blue: darker, white: no difference"));
  std::map<std::size_t, std::vector<Arm>> conditions;
  for (const auto& arm : chosen) conditions[arm.condition].push_back(arm);
  for (const auto& [condition, own] : conditions) {
    if (!sheet.rows.empty()) sheet.rows.back().reference = true;  // a line below the previous condition
    for (const double slope : {first, second}) {
      const Arm& arm = arm_of_slope(own, slope);
      auto [row, loaded] = arm_generator(config, arm);
      if (!loaded) throw UsageError("slope " + shortest(slope) + " has no images to compare: " + row.detail);
      row.tiles = generate_tiles(*loaded, sample_latents(loaded->config, columns));
      labels.add_to(row, arm);
      sheet.rows.push_back(std::move(row));
    }
    sheet.rows.push_back(difference_row(sheet.rows[sheet.rows.size() - 2], sheet.rows.back()));
  }
  return sheet;
}

Sheet checkpoint_sheet(const Checkpoint& checkpoint, int rows, int columns) {
  auto loaded = load_generator(checkpoint);
  const auto images = generate_tiles(loaded, sample_latents(loaded.config, std::int64_t{rows} * columns));
  Sheet sheet;
  sheet.title = run_title(loaded);
  sheet.caption = run_caption(loaded);
  sheet.rows = reference_rows(loaded.config, columns);
  for (int r = 0; r < rows; ++r) {
    SheetRow row;
    if (r == 0) row.label = "generated";
    row.tiles.assign(images.begin() + r * columns, images.begin() + (r + 1) * columns);
    sheet.rows.push_back(std::move(row));
  }
  return sheet;
}

Sheet class_sheet(const Checkpoint& checkpoint, int columns) {
  auto loaded = load_generator(checkpoint);
  DatasetClassifier classifier(loaded.config.data);
  const auto found = images_by_class(classifier, loaded, static_cast<std::size_t>(columns));
  Sheet sheet;
  sheet.title = run_title(loaded) + ", by class";
  sheet.caption =
      run_caption(loaded) + format_text(
                                " Each row shows one class: a real image, then the first images among {} generated "
                                "ones that a classifier assigns to it.",
                                grouped(classified_images));
  sheet.reference_columns = 1;
  for (std::int64_t label = 0; label < classifier.classes(); ++label) {
    const auto c = static_cast<std::size_t>(label);
    SheetRow row;
    row.label = classifier.name(label);
    row.detail = format_text("{:.1f} % of generated images, {:.1f} % of real images",
                             100 * static_cast<double>(found.counts[c]) / static_cast<double>(classified_images),
                             100 * classifier.real_share(label));
    row.tiles = {classifier.real_image(label)};
    row.tiles.insert(row.tiles.end(), found.tiles[c].begin(), found.tiles[c].end());
    row.tiles.resize(static_cast<std::size_t>(columns) + 1);
    sheet.rows.push_back(std::move(row));
  }
  return sheet;
}

Sheet slope_class_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed) {
  const auto chosen = arms_of_seed(arms, seed);
  DatasetClassifier classifier(config.data);
  const auto classes = static_cast<std::size_t>(classifier.classes());
  const ScoreLabels labels = score_labels(config, arms);
  Sheet sheet;
  sheet.title = config.run.name + ": slopes by class";
  sheet.caption = labels.explain(sweep_caption(
      config, seed,
      format_text("each column shows one class: the first of {} generated images that a classifier assigns to it",
                  grouped(classified_images))));
  SheetRow reals{.label = "real images", .detail = labels.floor, .reference = true};
  for (std::int64_t label = 0; label < classifier.classes(); ++label) {
    sheet.column_labels.push_back(classifier.name(label));
    reals.tiles.push_back(classifier.real_image(label));
  }
  sheet.rows.push_back(std::move(reals));
  for (const auto& arm : chosen) {
    auto [row, loaded] = arm_generator(config, arm);
    labels.add_to(row, arm);
    row.tiles.resize(classes);
    if (loaded) {
      const auto found = images_by_class(classifier, *loaded, 1);
      for (std::size_t c = 0; c < classes; ++c) {
        if (!found.tiles[c].empty()) row.tiles[c] = found.tiles[c].front();
      }
    }
    sheet.rows.push_back(std::move(row));
  }
  separate_conditions(sheet, chosen);
  return sheet;
}

std::vector<std::filesystem::path> write_sweep_sheets(const Config& config, const std::filesystem::path& sweep_dir,
                                                      std::int64_t seed, int columns, int scale,
                                                      const PictureStyle& picture) {
  const auto arms = make_arms(config, sweep_dir);
  const SheetStyle style = sweep_style(scale, picture);
  const std::string ending = name_suffix(picture) + ".png";
  auto written =
      replace_sheet(sweep_dir / ("contact_sheet" + ending), slope_contact_sheet(config, arms, seed, columns), style);
  const auto chosen = arms_of_seed(arms, seed);
  if (std::any_of(chosen.begin(), chosen.end(),
                  [](const Arm& arm) { return !RunPaths(arm.directory).sample_counts().empty(); })) {
    const auto sheet = slope_time_sheet(config, arms, seed, std::min(columns, 8));
    // A tile consists of four images, which are as large as in the contact sheet.
    SheetStyle enlarged = style;
    if (scale == 0) enlarged.scale = display_scale(static_cast<int>(config.data.resolution));
    for (auto& file : replace_sheet(sweep_dir / ("time_sheet" + ending), sheet, enlarged))
      written.push_back(std::move(file));
  }
  return written;
}

}  // namespace slopegan
