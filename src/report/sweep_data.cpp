#include <algorithm>
#include <limits>
#include <map>

#include "config/load.h"
#include "report/run_data.h"
#include "run/json_text.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

using nlohmann::json;
using ArmKey = std::pair<double, std::int64_t>;  // slope and seed

std::optional<double> optional_number(const json& object, const char* name) {
  if (!object.contains(name) || object.at(name).is_null()) return std::nullopt;
  return number_or_nan(object.at(name));
}

/// [low, high]; null is an unbounded end.
std::optional<StatisticsData::Limits> optional_limits(const json& object, const char* name) {
  if (!object.contains(name) || object.at(name).is_null()) return std::nullopt;
  const json& pair = object.at(name);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double low = pair.at(0).is_null() ? 0 : number_or_nan(pair.at(0));
  return StatisticsData::Limits{low, pair.at(1).is_null() ? infinity : number_or_nan(pair.at(1))};
}

StatisticsData::Slope slope_data(const json& object) {
  StatisticsData::Slope slope;
  slope.negative_slope = number_or_nan(object.at("negative_slope"));
  slope.scored = whole_number(object.at("scored"));
  slope.diverged = whole_number(object.at("diverged"));
  slope.collapsed = whole_number(object.at("collapsed"));
  slope.missing = whole_number(object.at("missing"));
  slope.mean_fd = optional_number(object, "mean_fd");
  slope.fd_deviation = optional_number(object, "fd_deviation");
  slope.probability_best = optional_number(object, "probability_best");
  return slope;
}

StatisticsData::Comparison comparison_data(const json& object) {
  StatisticsData::Comparison comparison;
  comparison.negative_slope = number_or_nan(object.at("negative_slope"));
  comparison.pairs = whole_number(object.at("pairs"));
  comparison.wins = whole_number(object.at("wins"));
  comparison.median_ratio = optional_number(object, "median_ratio");
  comparison.median_ratio_interval = optional_limits(object, "median_ratio_interval");
  comparison.simultaneous_interval = optional_limits(object, "simultaneous_interval");
  comparison.p = optional_number(object, "p");
  comparison.p_holm = optional_number(object, "p_holm");
  comparison.significant = object.at("significant").get<bool>();
  comparison.can_be_significant = object.at("can_be_significant").get<bool>();
  return comparison;
}

StatisticsData statistics_data(const json& object) {
  StatisticsData statistics;
  statistics.answer = object.at("answer").get<std::string>();
  statistics.notes = object.at("notes").get<std::vector<std::string>>();
  statistics.control = number_or_nan(object.at("control"));
  if (object.at("metric").is_object()) {
    statistics.metric_name = object.at("metric").at("name").get<std::string>();
    statistics.extractor = object.at("metric").at("extractor").get<std::string>();
    statistics.floor = optional_number(object.at("metric"), "floor");
  }
  for (const auto& slope : object.at("slopes")) statistics.slopes.push_back(slope_data(slope));
  for (const auto& comparison : object.at("comparisons")) {
    statistics.comparisons.push_back(comparison_data(comparison));
  }
  statistics.rank_stability = optional_number(object, "rank_stability");
  statistics.pairing_correlation = optional_number(object, "pairing_correlation");
  statistics.seed_variance = optional_number(object, "seed_variance");
  statistics.metric_variance = optional_number(object, "metric_variance");
  for (const auto& [name, text] : object.at("methods").items()) {
    statistics.methods.emplace_back(name, text.get<std::string>());
  }
  return statistics;
}

/// The slope of an arm; std::nullopt if its configuration has no single one.
std::optional<double> slope_of(const Config& arm, SweepTarget target) {
  const NegativeSlope& slope =
      target == SweepTarget::discriminator ? arm.discriminator.negative_slope : arm.generator.negative_slope;
  if (slope.schedule || slope.values.size() != 1) return std::nullopt;
  return slope.values.front();
}

/// The run directories of a sweep by slope and seed. Other slopes and seeds, from earlier sweeps, are not used.
std::map<ArmKey, std::filesystem::path> find_arms(SweepData& sweep) {
  std::map<ArmKey, std::filesystem::path> found;
  for (const auto& directory : entries_of(sweep.directory / "runs")) {
    const auto file = RunPaths(directory).config_file();
    if (!std::filesystem::exists(file)) continue;
    try {
      const Config config = load_config(file).config;
      if (const auto slope = slope_of(config, sweep.config.sweep.apply_to)) found[{*slope, config.seed}] = directory;
    } catch (const Error& error) {
      sweep.notes.emplace_back(error.what());
    }
  }
  return found;
}

}  // namespace

std::optional<StatisticsData> read_statistics(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  const auto object = parse_json_object(read_file(file, std::size_t{1} << 26));
  try {
    if (object) return statistics_data(*object);
  } catch (const json::exception&) {
  } catch (const WrongJsonType&) {
  }
  throw DataError(display(file) + ": damaged, or written by another version");
}

SweepData read_sweep_data(const std::filesystem::path& directory) {
  SweepData sweep;
  sweep.directory = directory;
  sweep.config = load_config(directory / "sweep.yaml").config;
  sweep.slopes = sweep.config.sweep.negative_slope;
  std::sort(sweep.slopes.begin(), sweep.slopes.end());
  sweep.slopes.erase(std::unique(sweep.slopes.begin(), sweep.slopes.end()), sweep.slopes.end());
  sweep.seeds = sweep.config.sweep.seeds;
  try {
    sweep.statistics = read_statistics(directory / "statistics.json");
  } catch (const Error& error) {
    sweep.notes.emplace_back(error.what());
  }
  const auto found = find_arms(sweep);
  for (const double slope : sweep.slopes) {
    for (const auto seed : sweep.seeds) {
      ArmData arm{slope, seed, {}};
      const auto place = found.find({slope, seed});
      if (place != found.end()) arm.run = read_run_data(place->second);
      if (arm.run.name.empty()) arm.run.name = "slope " + shortest(slope) + ", seed " + std::to_string(seed);
      sweep.arms.push_back(std::move(arm));
    }
  }
  return sweep;
}

}  // namespace slopegan
