#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "config/enums.h"
#include "config/load.h"
#include "data/folder_listing.h"
#include "data/image_set.h"
#include "data/transform.h"
#include "evaluation/run_metrics.h"
#include "metrics/figures.h"
#include "models/block.h"
#include "run/checkpoint.h"
#include "run/json.h"
#include "run/run_directory.h"
#include "sampling/load_generator.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/out_of_memory.h"
#include "support/posix_file.h"
#include "support/random.h"
#include "support/text.h"
#include "sweep/sweep.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

struct EvaluateArguments {
  std::string path;
  std::string against;
  std::string data;
  std::int64_t samples = 0;
  std::int64_t resolution = 0;
  std::vector<std::string> extractors = {"auto"};
};

/// The metrics, and the resolution at which the images were compared.
struct Evaluation {
  MetricsRecord record;
  std::int64_t resolution = 0;
};

/// The reference images.
struct RealImages {
  std::shared_ptr<const Dataset> train, test;
};

RealImages load_real(const DataConfig& data) {
  auto train = load_dataset(data, Split::train);
  log_notes(*train, Split::train);
  return {train, load_test_split(data, *train)};
}

/// Returns `data` with data.fit = auto resolved for this kind of data, so that a set of images of a different kind is
/// fitted in the same way.
DataConfig fitted_alike(DataConfig data) {
  data.fit = chosen_fit(data);
  return data;
}

/// Returns the data configuration of --against if it is a configuration file, a run, a checkpoint or a sweep, or
/// std::nullopt if it is a set of images.
std::optional<DataConfig> configured_data(const fs::path& against) {
  std::error_code ignored;
  const auto has = [&](const char* name) { return fs::exists(against / name, ignored); };
  // A folder of images may contain a file named manifest.json or a folder named checkpoints.
  const bool is_images = fs::is_directory(against, ignored) && !has("state.safetensors") && !has("config.yaml");
  if ((is_images || !is_run_or_checkpoint(against)) && !is_own_output(against)) {
    if (ImageSet::is_at(against)) return std::nullopt;
    return load_config(against).config.data;
  }
  if (has("sweep.yaml")) return load_sweep(against).data;
  const RunPaths run(against);
  if (has("config.yaml") && list_checkpoints(run.checkpoints_dir()).empty()) {
    return load_stored_config(run.config_file()).config.data;
  }
  return checkpoint_config(find_checkpoint(against)).data;
}

/// Loads the images of --against with the resolution and the fixed_bits of `data`. `configured` is the result of
/// configured_data(). If it is std::nullopt, a set of images is loaded, fitted like those of `data` and converted to
/// `channels` channels.
RealImages load_against(const std::string& against, std::optional<DataConfig> configured, std::int64_t channels,
                        const DataConfig& data) {
  if (!configured) return {ImageSet(against, fitted_alike(data)).load(channels, data.resolution), nullptr};
  configured->resolution = data.resolution;
  configured->fixed_bits = data.fixed_bits;
  return load_real(*configured);
}

/// Returns the DataConfig::fixed_bits for images that are compared with `reference`. Returns 0 if the values of
/// `reference` fit into 8 bits, because they may be 8-bit values in a wider type, which do not determine a range.
int shared_bits(const Dataset& reference) { return reference.deep_bits > 8 ? reference.deep_bits : 0; }

/// If only one of two sets of images has more than 8 bits per channel, logs which value is taken to be white. Logs it
/// as a warning unless this set is `reference`: `scaled` may then be 8-bit images from a generator trained on
/// `reference`.
void log_mixed_depths(const Dataset& reference, const Dataset& scaled) {
  if ((reference.deep_bits > 8) == (scaled.deep_bits > 8) || (reference.deep_bits > 8 && scaled.deep_bits > 0)) return;
  const bool is_expected = reference.deep_bits > 8;
  const Dataset &deep = is_expected ? reference : scaled, &other = is_expected ? scaled : reference;
  const std::string text =
      format_text("only {} has more than 8 bits per channel: its value {} is treated as equal to white in {}",
                  display(source_of(deep)), (1 << deep.deep_bits) - 1, display(source_of(other)));
  if (is_expected) return log::info(text);
  log::warning(text + "; if it is not white, rescale the images");
}

/// Returns a configuration with all metrics, including those that are too slow to be enabled by default in training.
MetricsConfig all_metrics(const EvaluateArguments& arguments, std::int64_t samples) {
  MetricsConfig metrics;
  metrics.extractor.choices = arguments.extractors;
  metrics.samples = arguments.samples > 0 ? arguments.samples : samples;
  metrics.names.assign(enum_values<MetricName>.begin(), enum_values<MetricName>.end());
  return metrics;
}

/// `basis` contains the images for which "auto" selects an extractor and on which a classifier is trained.
Evaluators make(const MetricsConfig& metrics, const RealImages& real, const RealImages& basis, std::int64_t resolution,
                bool as_in_0_9, at::Device device) {
  auto extractors = make_extractors(metrics.extractor.choices, *basis.train, basis.test.get(), resolution, as_in_0_9);
  for (const auto& extractor : extractors) extractor->move_to(device);
  return make_evaluators(metrics, std::move(extractors), *real.train, real.test.get(), resolution);
}

/// Whether any of the extractors depends on the data for which it is made.
bool depends_on_data(const std::vector<std::string>& extractors) {
  return std::any_of(extractors.begin(), extractors.end(), [](const std::string& choice) {
    return choice == name_of(ExtractorKind::automatic) || choice == name_of(ExtractorKind::classifier);
  });
}

/// Loads the training and test images of the run, with which its own metrics were measured. If they cannot be read,
/// logs a warning with the `consequence` and returns std::nullopt.
std::optional<RealImages> images_of_run(const DataConfig& data, const std::string& consequence) {
  try {
    return load_real(data);
  } catch (const DataError& error) {
    log::warning("the data of the run cannot be read, so " + consequence +
                 " (--data PATH specifies where the data are): " + error.what());
    return std::nullopt;
  }
}

/// The images that generated images are compared with, and those for which the extractor is made.
struct References {
  RealImages real, basis;
};

/// Loads the references for a generator that was trained on `data`. If the training images have more than 8 bits per
/// channel, 16-bit images of --against are scaled by the range of the training images, because the generator's images
/// have this range. With --against, the images of the run are loaded only if they determine the extractor or the range.
References load_references(const EvaluateArguments& arguments, std::int64_t channels, DataConfig data) {
  if (arguments.against.empty()) {
    const auto own = load_real(data);
    return {own, own};
  }
  const auto configured = configured_data(arguments.against);
  auto real = load_against(arguments.against, configured, channels, data);
  const bool follows_run = depends_on_data(arguments.extractors);
  if (!follows_run && real.train->deep_bits == 0) return {real, real};
  const auto run = images_of_run(data, follows_run ? "the extractor is chosen from the reference images"
                                                   : "the reference images are scaled by their own range");
  if (!run) return {real, real};
  log_mixed_depths(*run->train, *real.train);
  data.fixed_bits = shared_bits(*run->train);
  if (data.fixed_bits > 0 && real.train->deep_bits > 0 && data.fixed_bits != real.train->deep_bits) {
    log::info("the reference images are read again and scaled by the range of the run's data");
    real = load_against(arguments.against, configured, channels, data);
  }
  return {real, follows_run ? *run : real};
}

/// Warns if the metrics are not comparable with those that the run itself wrote.
void warn_if_other_extractor(const Checkpoint& checkpoint, const std::string& extractor) {
  const RunPaths run(checkpoint.directory.parent_path().parent_path());
  std::error_code ignored;
  if (!fs::exists(run.metrics_file(), ignored)) return;
  try {
    const auto records = read_metrics(run.metrics_file());
    if (records.empty() || records.back().extractor == extractor) return;
    log::warning("these metrics were computed with " + extractor + ", but the metrics of the run were computed with " +
                 printable(records.back().extractor) +
                 ", so the two are not comparable (a TorchScript file is only executed if --extractor names it)");
  } catch (const Error& error) {
    log::warning(error.what());
  }
}

Evaluation evaluate_checkpoint(const EvaluateArguments& arguments) {
  const auto checkpoint = find_checkpoint(arguments.path, arguments.data);
  auto loaded = load_generator(checkpoint);
  // The extractor named in the checkpoint is not used, because it may be a TorchScript file, which is executable code,
  // and the checkpoint may come from an untrusted source.
  loaded.config.metrics = all_metrics(arguments, loaded.config.metrics.samples);
  const auto resolution = loaded.config.data.resolution;
  loaded.config.training.device = Device::automatic;  // this machine may lack the device of the run
  const Compute compute = choose_compute(loaded.config.training);
  apply_compute(compute);
  const auto channels = loaded.generator->blocks.back()->conv->options().out_channels;
  const auto [real, basis] = load_references(arguments, channels, loaded.config.data);
  if (arguments.against.empty() && checkpoint.info.was_trained_on_other_images(real.train->hash)) {
    log::warning("the images at data.path differ from the training images: their SHA-256 does not match");
  }
  if (real.train->channels() != channels) {
    throw DataError(format_text("the generator has {} image channel{}, but {} has {}", channels, plural_s(channels),
                                printable(real.train->name), real.train->channels()));
  }
  const auto evaluators =
      make(loaded.config.metrics, real, basis, resolution, loaded.config.data.as_in_0_9, compute.device);
  warn_if_other_extractor(checkpoint, evaluators.front()->extractor().name());
  loaded.generator->to(compute.device);
  return {evaluate_generator(evaluators, loaded.config, loaded.generator, compute, loaded.images, true), resolution};
}

/// Returns the configuration with which images are converted to a common size: `configured` or, for two sets of images,
/// a new one. The resolution of a new configuration is --resolution or is chosen from the sizes of the images.
DataConfig comparison(const EvaluateArguments& arguments, const std::optional<DataConfig>& configured) {
  if (configured) {
    if (arguments.resolution > 0 && configured->resolution != arguments.resolution) {
      throw UsageError(
          format_text("--resolution applies to two sets of images only; the configuration has "
                      "data.resolution = {}",
                      configured->resolution));
    }
    return *configured;
  }
  DataConfig data;
  data.kind = DatasetKind::image_folder;
  if (arguments.resolution > 0) {
    data.resolution = arguments.resolution;
  } else {
    data.resolution = std::min(ImageSet(arguments.path, data).natural_resolution(),
                               ImageSet(arguments.against, data).natural_resolution());
    log::info(format_text(
        "comparing at {} x {} pixels, chosen from the sizes of the images; --resolution selects a different resolution",
        data.resolution, data.resolution));
  }
  return data;
}

Evaluation evaluate_images(const EvaluateArguments& arguments) {
  if (arguments.against.empty()) {
    throw UsageError("--against CONFIG, --against IMAGE_DIR or --against NPZ is required to evaluate a set of images");
  }
  const Compute compute = choose_compute({});
  apply_compute(compute);
  const auto configured = configured_data(arguments.against);
  DataConfig data = comparison(arguments, configured);
  const auto real = load_against(arguments.against, configured, 0, data);
  data.fixed_bits = shared_bits(*real.train);
  const auto generated = ImageSet(arguments.path, fitted_alike(data)).load(real.train->channels(), data.resolution);
  if (generated->size() < Evaluator::least_images) {
    throw DataError(format_text("{}: {} image{}; metrics need at least {}", display(arguments.path), generated->size(),
                                plural_s(generated->size()), Evaluator::least_images));
  }
  log_mixed_depths(*real.train, *generated);
  const auto count = arguments.samples > 0 ? std::min(arguments.samples, generated->size()) : generated->size();
  const auto metrics = all_metrics(arguments, count);
  const auto evaluators = make(metrics, real, real, data.resolution, data.as_in_0_9, compute.device);
  // The first images of a folder may not be representative, because the folder may be sorted by class.
  const auto indices = sorted_sample(0, "evaluate.sample", generated->size(), count);
  std::vector<Extraction> extractions;
  for (const auto& evaluator : evaluators) {
    extractions.push_back(extract_images(evaluator->extractor(), *generated, indices, data.resolution));
  }
  return {evaluate_all(evaluators, extractions), data.resolution};
}

/// The available metrics in display order, but with the kernel distance first if there are few images.
std::vector<Figure> ordered_figures(const RulerFigures& ruler, bool few_images) {
  std::vector<Figure> ordered;
  for (const auto& figure : figures) {
    if (ruler.values.contains(figure.key)) ordered.push_back(figure);
  }
  if (few_images) {
    std::stable_partition(ordered.begin(), ordered.end(), [](const Figure& figure) { return figure.key == "kd"sv; });
  }
  return ordered;
}

/// The line below the table if there are few images: whether fd can be used nevertheless.
std::string few_images_text(const RulerFigures& ruler, std::int64_t samples) {
  const auto images = std::min(samples, ruler.real_samples);
  if (!is_mostly_bias(ruler, samples)) {
    return format_text("{} images are few for {} features: part of fd is bias, estimated by fd_bias; kd has no bias.\n",
                       images, ruler.features);
  }
  return format_text("{} images are too few for {} features: fd is mostly bias{}. Compare kd instead.\n", images,
                     ruler.features, is_bias_reliable(ruler, samples) ? "" : ", and fd_bias is too small");
}

std::string ruler_table(const RulerFigures& ruler, const MetricsRecord& record, std::int64_t resolution) {
  std::string text =
      format_text("{}, {} generated images at {} x {} pixels", ruler.extractor, record.samples, resolution, resolution);
  if (!ruler.floors.empty()) text += format_text("; floor: {} real test images", record.floor_samples);
  text += format_text("\n{:<17} {:>11} {:>11}\n", "", "generated", "floor");
  const bool few_images = has_few_images(ruler, record.samples), mostly_bias = is_mostly_bias(ruler, record.samples);
  for (const auto& figure : ordered_figures(ruler, few_images)) {
    const auto floor = find_value(ruler.floors, figure.key);
    const std::string floor_text = floor ? format_text("{:.5g}", *floor) : "-";
    text += format_text("{:<17} {:11.5g} {:>11}  {}{}\n", figure.key, ruler.values.at(figure.key), floor_text,
                        figure.meaning, figure.key == "fd"sv && mostly_bias ? "; mostly bias, see below" : "");
  }
  if (ruler.fd_repeat)
    text += format_text("{:<17} {:11.5g} {:>11}  fd with different latents\n", "fd_repeat", *ruler.fd_repeat, "-");
  if (ruler.fd_bias)
    text += format_text(
        "{:<17} {:11.5g} {:>11}  bias of fd due to the finite number of images{}\n", "fd_bias", *ruler.fd_bias, "-",
        is_bias_reliable(ruler, record.samples) ? "" : "; unreliable: fewer than twice as many images as features");
  if (const auto subset = real_subset_text(ruler.values, ruler.real_subset, ruler.real_samples); !subset.empty())
    text += subset + "\n";
  if (few_images) text += few_images_text(ruler, record.samples);
  return text;
}

std::string metrics_table(const MetricsRecord& record, std::int64_t resolution) {
  std::string text = ruler_table(record, record, resolution);
  for (const auto& other : record.others) text += "\n" + ruler_table(other, record, resolution);
  return text;
}

int run_evaluate(const EvaluateArguments& arguments) {
  if (arguments.path.empty()) throw UsageError("path is required: RUN, CHECKPOINT, IMAGE_DIR or NPZ");
  std::error_code ignored;
  if (!fs::exists(arguments.path, ignored)) throw UsageError(display(arguments.path) + " does not exist");
  if (fs::exists(fs::path(arguments.path) / "sweep.yaml", ignored)) {
    throw UsageError(
        format_text("{} is a sweep, whose metrics are in results.csv and statistics.json; evaluate one of the "
                    "runs in {}",
                    display(arguments.path), display(fs::path(arguments.path) / "runs")));
  }
  const bool trained = is_run_or_checkpoint(arguments.path) || is_own_output(arguments.path);
  if (!trained && !arguments.data.empty()) throw UsageError("--data applies to runs and checkpoints only");
  if (trained && arguments.resolution > 0) throw UsageError("--resolution applies to two sets of images only");
  if (!trained && !ImageSet::is_at(arguments.path)) {
    throw UsageError(display(arguments.path) + " is neither a run, a checkpoint, a folder of images nor an npz file");
  }
  const auto [record, resolution] = explain_memory("computing the metrics", "lower --samples", [&] {
    return trained ? evaluate_checkpoint(arguments) : evaluate_images(arguments);
  });
  log::table(metrics_table(record, resolution));
  auto json = nlohmann::ordered_json::parse(metrics_line(record));
  json["resolution"] = resolution;
  if (record.fd_bias) json["fd_bias_is_reliable"] = is_bias_reliable(record, record.samples);
  print(json_text(json, 2) + "\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_evaluate(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<EvaluateArguments>();
  command
      .add_option("path", arguments->path,
                  "Directory of a run or a checkpoint, a folder of images, or an npz file of images")
      ->type_name("RUN|CHECKPOINT|IMAGE_DIR|NPZ");
  command
      .add_option(
          "--against", arguments->against,
          "Reference images: the data set of a configuration, of another run or of a sweep, a folder, or an npz file "
          "(default: the data of the run)")
      ->type_name("CONFIG|RUN|CHECKPOINT|SWEEP|IMAGE_DIR|NPZ");
  declare_data(command, arguments->data);
  add_integer(
      command, "--samples", arguments->samples,
      "Number of images to generate, or to draw at random from a set of images (default: metrics.samples of the "
      "run, or all images of the set)")
      ->check(CLI::Range(std::int64_t{Evaluator::least_images}, std::int64_t{100'000}))
      ->type_name("N");
  add_integer(command, "--resolution", arguments->resolution,
              "Resolution at which two sets of images are compared (default: the largest that does not exceed "
              "their median height and width)")
      ->check(CLI::IsMember(std::vector(comparison_resolutions.begin(), comparison_resolutions.end())))
      ->type_name("R");
  command
      .add_option("--extractor", arguments->extractors,
                  "Feature extractors as in metrics.extractor: auto, classifier, efficientnet-lite0, random, or a "
                  "TorchScript file such as inception-2015-12-05.pt, whose code is executed")
      ->default_str("auto")
      ->type_name("auto|classifier|efficientnet-lite0|random|FILE");
  command.callback([arguments, &action] {
    // In `--extractor A B RUN`, CLI11 also assigns RUN to --extractor, because an option with several values takes all
    // words up to the next option.
    if (arguments->path.empty() && arguments->extractors.size() > 1) {
      arguments->path = std::move(arguments->extractors.back());
      arguments->extractors.pop_back();
    }
    action = [arguments](const std::vector<std::string>&) { return run_evaluate(*arguments); };
  });
}

}  // namespace slopegan
