#include "statistics/race_json.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "run/record_json.h"
#include "statistics/statistics_json.h"
#include "support/checksums.h"

namespace slopegan {

using nlohmann::json;
using nlohmann::ordered_json;

static constexpr double no_limit = std::numeric_limits<double>::infinity();

static void check_decision(Verdict decision) {
  if (decision > Verdict::given_up) throw WrongJsonType("expected a decision of a race");
}

// Infinite ratios are written as null, which read_record reads as NaN.

void read_field(const json& value, RaceComparison& comparison) {
  comparison = read_record<RaceComparison>(value);
  check_decision(comparison.decision);
  if (std::isnan(comparison.ratio)) comparison.ratio = no_limit;
}

void read_field(const json& value, RaceSlope& slope) {
  slope = read_record<RaceSlope>(value);
  check_decision(slope.decision);
  std::ranges::replace_if(slope.interim_ratios, [](double ratio) { return std::isnan(ratio); }, no_limit);
}

std::string plan_hash(const PlannedRace& planned) { return sha256_hex(json_text(record_json(planned))); }

std::string race_json(const RaceFile& file) {
  ordered_json object = {{"plan", record_json(file.planned)}, {"plan_sha256", plan_hash(file.planned)}};
  RaceState::visit_fields(file.state, WriteFields{object});
  return json_text(object, 2) + "\n";
}

std::optional<RaceFile> parse_race(std::string_view text) {
  const auto object = parse_json_object(text);
  if (!object) return std::nullopt;
  try {
    RaceFile file;
    read_field(object->at("plan"), file.planned);
    if (object->at("plan_sha256") != plan_hash(file.planned)) return std::nullopt;
    RaceState::visit_fields(file.state, ReadFields{*object});
    return file;
  } catch (const json::exception&) {
  } catch (const WrongJsonType&) {
  }
  return std::nullopt;
}

std::vector<std::string> plan_differences(const PlannedRace& before, const PlannedRace& after) {
  const ordered_json old_plan = record_json(before), new_plan = record_json(after);
  std::vector<std::string> found;
  for (const auto& [name, value] : old_plan.items()) {
    const auto& changed = new_plan.at(name);
    if (value != changed) found.push_back(name + ": " + json_text(value) + " -> " + json_text(changed));
  }
  return found;
}

}  // namespace slopegan
