#pragma once

#include <string>
#include <vector>

#include "statistics/findings.h"
#include "statistics/race_json.h"
#include "statistics/statistics_json.h"

/// The answer of a race in words. ASCII only.
namespace slopegan {

/// What the race has found. `slopes` adds the scores of the arms; it may be empty.
Findings findings_of(const RaceFile& race, const std::vector<SlopeSummary>& slopes = {});

/// What limits the claims: slopes that were given up stand outside the error rate, and spreads that differ raise it.
std::vector<std::string> race_caveats(const RaceFile& race);

/// How the verdicts and intervals are computed, in a few sentences.
std::string method_sentence(const RaceFile& race);

/// Replaces the words of the file, which describe its statistics, with those about the race that decides. The
/// statistics themselves stay as descriptions.
void describe_race(StatisticsFile& file, const RaceFile& race);

}  // namespace slopegan
