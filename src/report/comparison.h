#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/run_data.h"
#include "statistics/findings.h"

/// Several sweeps side by side, for the page that compares them. Every slope is compared with the control of its own
/// sweep. Names and conditions are untrusted, as in run_data.h.
namespace slopegan {

/// The result of a sweep, or of a crossed sweep under one of its conditions.
struct ComparedResult {
  std::string sweep;                ///< its run.name, or its path if several sweeps have the same name
  std::string condition;            ///< "generator.norm=none", "slope of the generator only"; often empty
  std::string data;                 ///< "fashion-mnist, 32 px"
  std::int64_t images = 0;          ///< images seen by each arm
  std::string ruler;                ///< "FD[classifier-fashion-mnist@1a2b3c4d,n=10000]"; empty if unknown
  std::vector<std::int64_t> looks;  ///< arms per slope at each look of a race; empty for a fixed sweep
  double control = 0;
  Findings findings;                                 ///< without slopes if there is no result yet
  std::string answer;                                ///< one sentence, see recommendation()
  std::optional<std::string> caveat = std::nullopt;  ///< see FdMetric
};

/// One result per sweep and condition, in the order of the sweeps.
std::vector<ComparedResult> compared_results(const std::vector<SweepData>& sweeps);

/// "study_race", or "study_race, generator.norm=none".
std::string full_name(const ComparedResult& result);

/// The verdict with which sweeps are compared: `equivalent` if is_equivalent(), and `undecided` if no difference was
/// detected or there are too few seeds.
Verdict compared_verdict(const Findings& findings, const SlopeFinding& slope);

/// The slopes that at least one result compares with its control, ascending.
std::vector<double> compared_slopes(const std::vector<ComparedResult>& results);

/// The finding about a slope; nullptr if the result does not compare the slope with its control.
const SlopeFinding* finding_of(const ComparedResult& result, double negative_slope);

/// "8 seeds", or "6 arms, look 1 of 3" for a race.
std::string repeats_text(const ComparedResult& result, const SlopeFinding& slope);

/// One sentence per slope: "Slope 0.1 is better than 0.2 in 3 of 4 sweeps, undecided in 1." Each condition of a crossed
/// sweep counts separately: "in 3 of 4 conditions" or "in 3 of 4 sweeps and conditions".
std::vector<std::string> agreement_sentences(const std::vector<ComparedResult>& results);

/// One sentence per slope on which two results with the same control contradict each other: either their verdicts are
/// better and worse, or they have the same ruler and their limits do not overlap. "The effect of slope 0 depends on the
/// sweep: relative to the control, FD is 2 to 19 % lower in a, but at least 19 % higher in b." The sentence says
/// "condition" instead of "sweep" if both results belong to the same crossed sweep. For a result without FDs, it states
/// how many arms failed. If the rulers differ, or if a limit is cut off at 1, it states the verdicts instead of the
/// limits: "it is better than 0.2 in a, but worse in b."
std::vector<std::string> contradiction_sentences(const std::vector<ComparedResult>& results);
/// The slopes that contradiction_sentences describes.
std::vector<std::string> contradicted_slopes(const std::vector<ComparedResult>& results);
/// What the effects of these slopes depend on: "sweep", "condition" or "sweep or the condition"; empty if there are no
/// such slopes.
std::string contradiction_sources(const std::vector<ComparedResult>& results);

/// What limits the comparison: different controls, different metrics, unfinished sweeps, caveats.
std::vector<std::string> comparability_notes(const std::vector<ComparedResult>& results);

/// One line per result and slope, for spreadsheets. Infinite, unknown and unmeasured values are empty, as are ratios
/// and lower limits of 0.
std::string comparison_csv(const std::vector<ComparedResult>& results);

}  // namespace slopegan
