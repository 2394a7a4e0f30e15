#pragma once

#include <string>
#include <vector>

#include "statistics/findings.h"
#include "statistics/race_json.h"
#include "statistics/statistics_json.h"

/// The answer of a race in words. ASCII only.
namespace slopegan {

/// The findings of the race. `slopes` adds the scores of the arms; it may be empty.
Findings findings_of(const RaceFile& race, const std::vector<SlopeSummary>& slopes = {});

/// The limits of the claims: slopes that were given up are outside the error rate, and different spreads raise it.
std::vector<std::string> race_caveats(const RaceFile& race);

/// How the verdicts and intervals are computed, in a few sentences.
std::string method_sentence(const RaceFile& race);

/// Replaces the texts about the statistics in the file with texts about the race, whose decisions count. The statistics
/// themselves stay as descriptions of the arms.
void describe_race(StatisticsFile& file, const RaceFile& race);

}  // namespace slopegan
