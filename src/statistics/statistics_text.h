#pragma once

#include <string>
#include <utility>
#include <vector>

#include "statistics/statistics.h"

/// Describes statistics in words, in ASCII: methods, caveats and scores. findings.h and recommendation.h describe the
/// results.
namespace slopegan {

/// How the verdicts and intervals of finding_sentences() are computed, in one to three sentences.
std::string method_sentence(const SweepStatistics& statistics);

/// One sentence each about missing and failed arms; empty if there are none.
std::vector<std::string> arm_notes(const SweepStatistics& statistics);

/// One sentence per caveat: a substituted control, missing or failed arms, intervals that are too narrow, the bias of
/// the metric. For a crossed sweep, arm_notes() of its conditions are not included.
std::vector<std::string> statistics_notes(const SweepStatistics& statistics, const SweepScores& scores);

/// A sentence that says whether two feature extractors agree on the ranking of the slopes. `metric` is that of the
/// primary extractor.
std::string rulers_text(const FdMetric& metric, const RulerComparison& other);

/// How the values in statistics.json are computed, as pairs (key, method).
std::vector<std::pair<std::string, std::string>> statistics_methods(const SweepStatistics& statistics);

/// "0.2", "0 (ReLU)", "1 (linear)".
std::string slope_name(double slope);

/// Formats a score with at least three significant digits, without an exponent for large numbers: 1234, 12.3, 0.123.
std::string score_number(double value);

/// "FD 12.3 +/- 0.4 (3 seeds)" or "FD 12.3 +/- 0.4, 1 of 4 diverged": mean and standard deviation over the scored arms.
/// Empty if no arm has a result, or if there is only one arm and it failed.
std::string score_text(const SlopeSummary& summary);

}  // namespace slopegan
