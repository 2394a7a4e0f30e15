#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/record_json.h"
#include "statistics/cross.h"
#include "statistics/statistics.h"

/// Writing and reading statistics.json.
namespace slopegan {

/// An infinite limit is written as null, and null is read as +∞.
nlohmann::ordered_json field_json(const Interval& interval);
void read_field(const nlohmann::json& value, Interval& interval);
nlohmann::ordered_json field_json(Verdict verdict);
/// Throws WrongJsonType for `control` and for a name that is not a verdict.
void read_field(const nlohmann::json& value, Verdict& verdict);
/// Also reads comparisons and summaries of earlier versions, which lack fields.
void read_field(const nlohmann::json& value, Comparison& comparison);
void read_field(const nlohmann::json& value, SlopeSummary& summary);

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
  NamedTexts methods;                       ///< see statistics_methods()

  static constexpr bool is_lenient = true;
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"recommendation"}, self.recommendation);
    visit({"findings"}, self.findings);
    visit({"method"}, self.method);
    visit({"answer"}, self.answer);
    visit({"notes"}, self.notes);
    visit({"metric"}, self.metric);
    SweepStatistics::visit_fields(self.statistics, visit);
    visit({"rulers"}, self.rulers);
    visit({"cross_findings"}, self.cross_findings);
    visit({"cross"}, self.cross);
    visit({"methods"}, self.methods);
  }
};

/// The statistics of each condition; those of the sweep if it is not crossed.
std::vector<SweepStatistics> condition_statistics(const StatisticsFile& file);

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
