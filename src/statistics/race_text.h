#pragma once

#include <string>
#include <vector>

#include "statistics/findings.h"
#include "statistics/race_json.h"
#include "statistics/statistics_json.h"

/// The answer of a race in words. ASCII only.
namespace slopegan {

/// The findings of the race. `slopes` provides the scores of the slopes; it may be empty.
Findings findings_of(const RaceFile& race, const std::vector<SlopeSummary>& slopes = {});

/// Sentences about the limits of the claims: which slopes were given up without a test, which slopes have spreads that
/// may raise the error rate, and for how many training images the claims hold.
std::vector<std::string> race_caveats(const RaceFile& race);

/// How the verdicts and intervals are computed, in a few sentences.
std::string method_sentence(const RaceFile& race);

/// Replaces the texts in the file with texts about the race, which determines the verdicts. The statistics remain in
/// the file and only describe the arms.
void describe_race(StatisticsFile& file, const RaceFile& race);

}  // namespace slopegan
