#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "data/dataset.h"
#include "data/summary.h"
#include "data/transform.h"
#include "evaluation/evaluator.h"
#include "evaluation/extractor.h"
#include "images/convert.h"
#include "images/image_file.h"
#include "images/sheet.h"
#include "support/cache_contents.h"
#include "support/cache_directory.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::size_t columns = 10;
constexpr std::size_t most_label_rows = 32;
constexpr std::int64_t rows_without_labels = 8;

struct DataArguments {
  ConfigArguments config;
  std::string out;
  PictureStyle style;
  bool cache = false;
  bool prune = false;
};

SheetRow row_of(const Dataset& dataset, const std::vector<std::int64_t>& indices, std::int64_t resolution) {
  SheetRow row;
  row.tiles = to_mats(prepare_images(dataset, indices, resolution));
  return row;
}

/// Returns one row per label with the first images of that label.
std::vector<SheetRow> labelled_rows(const Dataset& dataset, std::int64_t resolution) {
  std::map<std::int64_t, std::vector<std::int64_t>> images_of;
  const std::int64_t* labels = dataset.labels.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < dataset.size(); ++i) images_of[labels[i]].push_back(i);
  std::vector<SheetRow> rows;
  for (auto& [label, indices] : images_of) {
    if (rows.size() == most_label_rows) break;
    const std::size_t count = indices.size();
    indices.resize(std::min(count, columns));
    rows.push_back(row_of(dataset, indices, resolution));
    rows.back().label =
        dataset.class_names.empty() ? "label " + label_text(dataset, label) : label_text(dataset, label);
    rows.back().detail = format_text("{} image{}", grouped(static_cast<std::int64_t>(count)), plural_s(count));
  }
  return rows;
}

/// Returns rows of images spread evenly over the data set, because neighbours in a folder are often similar.
std::vector<SheetRow> plain_rows(const Dataset& dataset, std::int64_t resolution) {
  const auto width = static_cast<std::int64_t>(columns);
  const std::int64_t count = std::min(dataset.size(), rows_without_labels * width);
  std::vector<SheetRow> rows;
  for (std::int64_t begin = 0; begin < count; begin += width) {
    std::vector<std::int64_t> indices;
    for (std::int64_t i = begin; i < std::min(begin + width, count); ++i) {
      indices.push_back(i * dataset.size() / count);
    }
    rows.push_back(row_of(dataset, indices, resolution));
  }
  return rows;
}

cv::Mat draw_reals(const Dataset& dataset, const DataConfig& config, const PictureStyle& style) {
  Sheet sheet;
  sheet.title = dataset.name + ": real images";
  const std::int64_t side = config.resolution;
  sheet.caption =
      format_text("{} training image{} of {} × {} pixels, shown at the training resolution {} × {}.",
                  grouped(dataset.size()), plural_s(dataset.size()), dataset.height(), dataset.width(), side, side);
  sheet.rows =
      dataset.has_labels() ? labelled_rows(dataset, config.resolution) : plain_rows(dataset, config.resolution);
  return draw_sheet(sheet, {.picture = style});
}

/// Describes the test split. Reports a defect in the split as a warning, because training does not need the split.
std::string test_text(const DataConfig& config) {
  if (!has_split(config, Split::test)) return "test\n  none\n";
  try {
    return summary_text(*load_dataset(config, Split::test), Split::test);
  } catch (const DataError& error) {
    return std::string("test\n  warning not used: ") + error.what() + "\n";
  }
}

/// Lists the extractors that training would use for its metrics, or explains why it cannot compute metrics.
std::string metrics_text(const Config& config, const Dataset& train) {
  if (config.metrics.every_images == 0) return "metrics\n  none\n";
  if (train.size() < Evaluator::least_images) {
    return format_text("metrics\n  none    metrics need at least {} images\n", Evaluator::least_images);
  }
  std::string text = "metrics\n";
  for (const auto& choice : config.metrics.extractor.choices) {
    try {
      check_extractor(choice, train, config.data.as_in_0_9);
      text += "  by      " + printable(resolved_extractor(choice, train, config.data.as_in_0_9)) + "\n";
    } catch (const DataError& error) {
      text += std::string("  warning ") + error.what() + "\n";
    }
  }
  return text;
}

/// Whether `file`, which need not exist, is in `directory` or below it.
bool is_below(const std::filesystem::path& file, const std::filesystem::path& directory) {
  std::error_code no_file, no_directory;
  const auto inner = std::filesystem::weakly_canonical(std::filesystem::absolute(file, no_file), no_file);
  const auto outer = std::filesystem::canonical(directory, no_directory);
  return !no_file && !no_directory && is_within(inner, outer);
}

/// Returns the file for the image grid. Throws UsageError if it is not a PNG file, or if it is in a folder of images,
/// where later commands would read it as one of the images.
std::filesystem::path picture_file(const DataArguments& arguments, const Config& config) {
  const std::filesystem::path out = arguments.out.empty() ? config.run.name + "_reals.png" : arguments.out;
  if (out.extension() != ".png") throw UsageError("--out must have the extension .png");
  if (consists_of_image_files(config.data.kind) && is_below(out, config.data.path)) {
    throw UsageError(
        format_text("the picture {} would be in data.path ({}), where it would be read as one of the "
                    "images; choose a file outside this folder with --out",
                    display(out), display(config.data.path)));
  }
  return out;
}

// --- slopegan data --cache

std::string size_text(std::uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes >= std::uint64_t{1} << 30) return format_text("{:.1f} GiB", std::ldexp(size, -30));
  return bytes >= std::uint64_t{1} << 20 ? format_text("{:.1f} MiB", std::ldexp(size, -20))
                                         : format_text("{:.1f} KiB", std::ldexp(size, -10));
}

/// "3 entries, 1.2 GiB".
std::string total_text(std::size_t count, std::uint64_t bytes) {
  return format_text("{} {}, {}", count, count == 1 ? "entry" : "entries", size_text(bytes));
}

std::string day_text(const std::optional<std::time_t>& time) {
  std::tm parts{};
  if (!time || ::localtime_r(&*time, &parts) == nullptr) return "-";
  return format_text("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string source_text(const CacheEntry& entry) {
  if (entry.sources.empty()) return "unknown";
  std::vector<std::string> paths;
  for (const auto& source : entry.sources) paths.push_back(display(source));
  return join(paths, ", ") + (entry.lost_its_source() ? " (gone)" : "");
}

std::string entry_text(const CacheEntry& entry) {
  const auto name = entry.file.lexically_relative(cache_dir());
  return format_text("{:>11}  {:<10}  {:<11}  {}\n{:38}{}\n", size_text(entry.bytes), day_text(entry.last_use),
                     printable(name.parent_path().string()), source_text(entry), "",
                     printable(name.filename().string()));
}

std::string foreign_text(const ForeignDirectory& directory) {
  return format_text("{:>11}  {:<10}  {:<11}  {}: {} file{}\n", size_text(directory.bytes), "-", "data set",
                     printable(directory.name), grouped(static_cast<std::int64_t>(directory.files)),
                     plural_s(directory.files));
}

/// Removes `entry` and returns true. If it cannot be removed, logs a warning and returns false.
bool removed(const CacheEntry& entry) {
  try {
    remove_cache_entry(entry);
    return true;
  } catch (const Error& error) {
    log::warning(error.what());
    return false;
  }
}

/// Prints the entries of the cache, and one line for each other directory in it, such as a data set. With `prune`,
/// removes the entries whose sources no longer exist and lists them. Throws IoError.
void print_cache(bool prune) {
  std::uint64_t bytes = 0, freed = 0;
  std::size_t count = 0, pruned = 0;
  std::string kept_text, pruned_text;
  for (const auto& entry : cache_entries()) {
    const bool prunes = prune && entry.lost_its_source() && removed(entry);
    (prunes ? pruned_text : kept_text) += entry_text(entry);
    (prunes ? freed : bytes) += entry.bytes;
    ++(prunes ? pruned : count);
  }
  for (const auto& directory : foreign_directories()) kept_text += foreign_text(directory);
  std::string text = display(cache_dir()) + ": " + total_text(count, bytes) + "\n";
  if (!kept_text.empty())
    text += format_text("{:>11}  {:<10}  {:<11}  {}\n", "size", "last use", "kind", "source, name");
  text += kept_text;
  if (prune) text += "removed, because the sources are gone: " + total_text(pruned, freed) + "\n";
  print(text + pruned_text);
}

int run_data(const DataArguments& arguments) {
  if (arguments.cache) {
    const bool has_style = arguments.style.dark || arguments.style.pixel_ratio != PictureStyle{}.pixel_ratio;
    if (!arguments.config.file.empty() || !arguments.out.empty() || has_style) {
      throw UsageError(
          "--cache lists the whole cache and draws no picture, so it cannot be combined with CONFIG, --out, --dark or "
          "--pixel-ratio");
    }
    print_cache(arguments.prune);
    return static_cast<int>(ExitCode::done);
  }
  if (arguments.config.file.empty()) throw UsageError("CONFIG is required, except with --cache");
  const Config config = arguments.config.load();
  const auto out = picture_file(arguments, config);
  const auto train = load_dataset(config.data, Split::train);
  print(train->name + "\n" + summary_text(*train, Split::train));
  if (const auto note = small_data_note(config, train->size()); !note.empty()) print("  note    " + note + "\n");
  print(test_text(config.data));
  print(metrics_text(config, *train));
  const cv::Mat picture = draw_reals(*train, config.data, arguments.style);
  make_parent_directories(out);
  write_png(out, picture);
  print("real images: " + display(out) + "\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_data(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<DataArguments>();
  arguments->config.declare(command);
  command
      .add_option("--out", arguments->out,
                  "Output file for the image grid, a PNG file outside the folder of images; an existing file is "
                  "replaced (default: <run.name>_reals.png in the current directory)")
      ->type_name("FILE");
  declare_picture_style(command, arguments->style);
  command.get_option("config")->required(false);
  auto* cache = command.add_flag("--cache", arguments->cache,
                                 "List the contents of the cache with size, last use and source; needs no CONFIG");
  command.add_flag("--prune", arguments->prune, "Remove the entries of the cache whose source data no longer exist")
      ->needs(cache);
  command.callback(
      [arguments, &action] { action = [arguments](const std::vector<std::string>&) { return run_data(*arguments); }; });
}

}  // namespace slopegan
