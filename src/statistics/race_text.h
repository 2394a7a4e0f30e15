#pragma once

#include <string>
#include <vector>

#include "statistics/findings.h"
#include "statistics/race_json.h"
#include "statistics/statistics_json.h"

/// Describes the results of a race in words. ASCII only.
namespace slopegan {

/// The findings of the race. `slopes` provides the scores of the slopes; it may be empty.
Findings findings_of(const RaceFile& race, const std::vector<SlopeSummary>& slopes = {});

/// One sentence per caveat: the slopes on which the race gave up without a test, the slopes whose spreads may raise the
/// error rate, and the number of training images for which the claims hold.
std::vector<std::string> race_caveats(const RaceFile& race);

/// How the verdicts and intervals are computed, in a few sentences.
std::string method_sentence(const RaceFile& race);

/// Replaces the recommendation, the findings, the method, the answer and the verdicts in the file with those of the
/// race. Removes the results of the sign-flip test, even those that an earlier version wrote: the error rate of the
/// test does not hold, because the race chose the number of seeds. The other statistics remain and only describe the
/// arms.
void describe_race(StatisticsFile& file, const RaceFile& race);

}  // namespace slopegan
