#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "statistics/race.h"

/// Writing and reading race.json. The file contains the plan of a race, the hash of the plan, and the decisions so far.
/// The plan is written before the first arm is trained. The file is derived from the plan and the arms' files alone, so
/// every process writes the same bytes.
namespace slopegan {

/// Everything that is fixed before the first arm of a race is trained.
struct PlannedRace {
  RacePlan plan;
  std::int64_t first_seed = 0;  ///< repeat r is trained with seed first_seed + r
  std::int64_t images = 0;      ///< training images shown to each arm
  /// The number of images at the interim evaluation, after which the race may give up on slopes; 0 if it never
  /// gives up.
  std::int64_t interim_images = 0;
  std::string extractor;     ///< name and hash of the feature extractor
  std::int64_t samples = 0;  ///< generated images per evaluation
  std::string dataset;       ///< hash of the training images

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    RacePlan::visit_fields(self.plan, visit);
    visit({"interim_images"}, self.interim_images);
    visit({"images"}, self.images);
    visit({"first_seed"}, self.first_seed);
    visit({"extractor"}, self.extractor);
    visit({"samples"}, self.samples);
    visit({"dataset"}, self.dataset);
  }
};

/// Reads null as an infinite ratio. Throws WrongJsonType if the decision is not one that a race makes.
void read_field(const nlohmann::json& value, RaceComparison& comparison);
void read_field(const nlohmann::json& value, RaceSlope& slope);

struct RaceFile {
  PlannedRace planned;
  RaceState state;  ///< `needed` is not part of the file
};

/// The SHA-256 of the plan as written to race.json.
std::string plan_hash(const PlannedRace& planned);

/// Formats the file. Infinite limits and ratios are written as null.
std::string race_json(const RaceFile& file);

/// Parses the file. Returns std::nullopt if `text` is damaged, or if the plan does not match its hash.
std::optional<RaceFile> parse_race(std::string_view text);

/// The differences between two plans, each in the form "looks: [5,7,9] -> [6,8,10]".
std::vector<std::string> plan_differences(const PlannedRace& before, const PlannedRace& after);

}  // namespace slopegan
