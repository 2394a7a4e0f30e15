#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "statistics/cross.h"
#include "statistics/statistics.h"

/// Writing and reading statistics.json. Both use the same list of fields.
namespace slopegan {

/// The name of a verdict in statistics.json.
constexpr const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "worse";
    case Verdict::no_difference_detected:
      return "no_difference_detected";
    case Verdict::too_few_seeds:
      return "too_few_seeds";
    case Verdict::not_comparable:
      return "not_comparable";
    case Verdict::undecided:
      return "undecided";
    case Verdict::equivalent:
      return "equivalent";
    case Verdict::given_up:
      return "given_up";
  }
  return "";
}

struct StatisticsFile {
  std::string recommendation;               ///< see recommendation()
  std::vector<std::string> findings;        ///< see finding_sentences(), followed by caveats
  std::string method;                       ///< see method_sentence()
  std::string answer;                       ///< the recommendation and the findings in one text
  std::vector<std::string> notes;           ///< see statistics_notes()
  std::optional<FdMetric> metric;           ///< std::nullopt if no arm has a score
  SweepStatistics statistics;               ///< without `resamples`, which is part of `methods`
  std::vector<RulerComparison> rulers;      ///< one per additional feature extractor
  std::optional<CrossStatistics> cross;     ///< only for a crossed sweep; `statistics` describes its first condition
  std::vector<std::string> cross_findings;  ///< see cross_sentences()
  std::vector<std::pair<std::string, std::string>> methods;  ///< see statistics_methods()
};

/// Computes the statistics of the scores and describes them in words.
StatisticsFile evaluate_scores(const SweepScores& scores, double control, const StatisticsOptions& options = {});

/// Formats the file as JSON. Unknown values, infinite limits and infinite ratios are written as null.
std::string statistics_json(const StatisticsFile& file);

/// Parses the file; returns std::nullopt if `text` is damaged. Fields whose keys are absent, as in files from earlier
/// versions, keep their defaults; an absent verdict is derived from the other values. If the recommendation is absent,
/// all descriptions in words except the notes are derived from the other values. A null limit of an interval is read as
/// +∞, and a null ratio as std::nullopt. Intervals that contain 1 despite a significant verdict, as in files from
/// earlier versions, are cut at 1.
std::optional<StatisticsFile> parse_statistics(std::string_view text);

}  // namespace slopegan
