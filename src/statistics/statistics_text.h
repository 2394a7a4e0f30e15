#pragma once

#include <string>
#include <vector>

#include "statistics/statistics.h"

/// Statistics in plain words. Claims are made only of what is significant after correction; ASCII only.
namespace slopegan {

/// The sweep's question answered in one sentence: which slopes are better or worse than the control, which cannot be
/// told apart and how large a difference is excluded, and for which the seeds are too few to say anything.
std::string answer(const SweepStatistics& statistics);

/// One sentence each: what the figures do not tell by themselves (the control taken, arms missing or come to nothing,
/// too short intervals, the metric's bias).
std::vector<std::string> statistics_notes(const SweepStatistics& statistics, const SweepScores& scores);

/// A figure with three digits and without an exponent for large ones: 1234, 12.3, 0.123.
std::string score_number(double value);

/// "FD 12.3 +/- 0.4 (3 seeds)" or "FD 12.3 +/- 0.4, 1 of 4 diverged": mean and standard deviation over the scored arms;
/// empty where nothing is known.
std::string score_text(const SlopeSummary& summary);

}  // namespace slopegan
