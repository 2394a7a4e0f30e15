#include "statistics/race_json.h"

#include <limits>

#include "run/json.h"
#include "support/checksums.h"
#include "support/enum_values.h"
#include "support/text.h"

namespace slopegan {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr double no_limit = std::numeric_limits<double>::infinity();

ordered_json plan_object(const PlannedRace& planned) {
  const RacePlan& plan = planned.plan;
  return {{"control", plan.control},
          {"slopes", plan.slopes},
          {"looks", plan.looks},
          {"alphas", plan.alphas},
          {"equivalence", plan.equivalence},
          {"give_up", plan.give_up},
          {"interim_images", planned.interim_images},
          {"images", planned.images},
          {"first_seed", planned.first_seed},
          {"extractor", planned.extractor},
          {"samples", planned.samples},
          {"dataset", planned.dataset}};
}

ordered_json comparison_object(const RaceComparison& comparison) {
  return {{"negative_slope", comparison.negative_slope},
          {"failed", comparison.failed},
          {"control_failed", comparison.control_failed},
          {"ratio", comparison.ratio},
          {"ratio_interval", {comparison.ratio_interval.low, comparison.ratio_interval.high}},
          {"p", comparison.p},
          {"p_holm", comparison.p_holm},
          {"spreads_differ", comparison.spreads_differ},
          {"decision", name_of(comparison.decision)}};
}

ordered_json look_object(const RaceLook& look) {
  ordered_json comparisons = ordered_json::array();
  for (const auto& comparison : look.comparisons) comparisons.push_back(comparison_object(comparison));
  return {{"arms", look.arms}, {"alpha", look.alpha}, {"family", look.family}, {"comparisons", std::move(comparisons)}};
}

ordered_json slope_object(const RaceSlope& slope) {
  ordered_json object = {{"negative_slope", slope.negative_slope},
                         {"decision", name_of(slope.decision)},
                         {"look", slope.look},
                         {"interim_ratios", slope.interim_ratios}};
  if (slope.comparison) object["comparison"] = comparison_object(*slope.comparison);
  return object;
}

RaceDecision decision_named(const json& name) {
  const auto decision = enum_named<RaceDecision>(name.get<std::string>());
  if (!decision) throw WrongJsonType("a decision is expected");
  return *decision;
}

/// A number; null stands for infinity.
double limit_of(const json& number) { return number.is_null() ? no_limit : number_or_nan(number); }

std::vector<double> numbers_of(const json& list) {
  std::vector<double> numbers;
  for (const auto& number : list) numbers.push_back(limit_of(number));
  return numbers;
}

PlannedRace read_plan(const json& object) {
  PlannedRace planned;
  RacePlan& plan = planned.plan;
  plan.control = number_or_nan(object.at("control"));
  plan.slopes = numbers_of(object.at("slopes"));
  for (const auto& look : object.at("looks")) plan.looks.push_back(whole_number(look));
  plan.alphas = numbers_of(object.at("alphas"));
  plan.equivalence = number_or_nan(object.at("equivalence"));
  plan.give_up = number_or_nan(object.at("give_up"));
  planned.interim_images = whole_number(object.at("interim_images"));
  planned.images = whole_number(object.at("images"));
  planned.first_seed = whole_number(object.at("first_seed"));
  planned.extractor = object.at("extractor").get<std::string>();
  planned.samples = whole_number(object.at("samples"));
  planned.dataset = object.at("dataset").get<std::string>();
  return planned;
}

RaceComparison read_comparison(const json& object) {
  RaceComparison comparison;
  comparison.negative_slope = number_or_nan(object.at("negative_slope"));
  comparison.failed = whole_number(object.at("failed"));
  comparison.control_failed = whole_number(object.at("control_failed"));
  comparison.ratio = limit_of(object.at("ratio"));
  const json& interval = object.at("ratio_interval");
  comparison.ratio_interval = {limit_of(interval.at(0)), limit_of(interval.at(1))};
  comparison.p = number_or_nan(object.at("p"));
  comparison.p_holm = number_or_nan(object.at("p_holm"));
  comparison.spreads_differ = object.at("spreads_differ").get<bool>();
  comparison.decision = decision_named(object.at("decision"));
  return comparison;
}

RaceLook read_look(const json& object) {
  RaceLook look;
  look.arms = whole_number(object.at("arms"));
  look.alpha = number_or_nan(object.at("alpha"));
  look.family = whole_number(object.at("family"));
  for (const auto& comparison : object.at("comparisons")) look.comparisons.push_back(read_comparison(comparison));
  return look;
}

RaceSlope read_slope(const json& object) {
  RaceSlope slope;
  slope.negative_slope = number_or_nan(object.at("negative_slope"));
  slope.decision = decision_named(object.at("decision"));
  slope.look = whole_number(object.at("look"));
  slope.interim_ratios = numbers_of(object.at("interim_ratios"));
  if (object.contains("comparison")) slope.comparison = read_comparison(object.at("comparison"));
  return slope;
}

}  // namespace

std::string plan_hash(const PlannedRace& planned) {
  const std::string text = json_text(plan_object(planned));
  return sha256_hex(text);
}

std::string race_json(const RaceFile& file) {
  ordered_json looks = ordered_json::array(), slopes = ordered_json::array();
  for (const auto& look : file.state.looks) looks.push_back(look_object(look));
  for (const auto& slope : file.state.slopes) slopes.push_back(slope_object(slope));
  const ordered_json object = {{"plan", plan_object(file.planned)},
                               {"plan_sha256", plan_hash(file.planned)},
                               {"looks", std::move(looks)},
                               {"slopes", std::move(slopes)},
                               {"is_over", file.state.is_over}};
  return json_text(object, 2) + "\n";
}

std::optional<RaceFile> parse_race(std::string_view text) {
  const auto object = parse_json_object(text);
  if (!object) return std::nullopt;
  try {
    RaceFile file;
    file.planned = read_plan(object->at("plan"));
    if (object->at("plan_sha256") != plan_hash(file.planned)) return std::nullopt;
    for (const auto& look : object->at("looks")) file.state.looks.push_back(read_look(look));
    for (const auto& slope : object->at("slopes")) file.state.slopes.push_back(read_slope(slope));
    file.state.is_over = object->at("is_over").get<bool>();
    return file;
  } catch (const json::exception&) {
  } catch (const WrongJsonType&) {
  }
  return std::nullopt;
}

std::vector<std::string> plan_differences(const PlannedRace& before, const PlannedRace& after) {
  const ordered_json old_plan = plan_object(before), new_plan = plan_object(after);
  std::vector<std::string> found;
  for (const auto& [name, value] : old_plan.items()) {
    const auto& changed = new_plan.at(name);
    if (value != changed) found.push_back(name + ": " + json_text(value) + " -> " + json_text(changed));
  }
  return found;
}

}  // namespace slopegan
