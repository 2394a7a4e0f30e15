#pragma once

#include <functional>
#include <string>
#include <vector>

namespace slopegan {

/// Something to time. What one call of `run` does is given so that rates follow; 0 where it has no meaning.
struct BenchCase {
  std::string name;
  std::function<void()> run;
  double images = 0;
  double flop = 0;
  double bytes = 0;
  /// Cases of one group share a ceiling: the highest rate that a reference of the group reaches ("float32", "memory").
  std::string group = {};
  bool is_reference = false;
};

/// Seconds of one call of a case, a value a round.
struct Timing {
  std::vector<double> seconds;

  double median() const { return quantile(0.5); }
  /// Linear between the two nearest values. `share` is in [0, 1].
  double quantile(double share) const;
};

struct RoundOptions {
  double seconds = 10;                    ///< for all cases together, after the warm-up
  int min_rounds = 5;                     ///< even where that takes longer
  int max_rounds = 200;                   ///< even where time is left
  double seconds_per_measurement = 0.02;  ///< short cases are called so often that one measurement takes this long
};

/// Times all cases in rounds: in each round every case once, in the order given, so that what disturbs the machine for
/// a while disturbs all of them. A first round, not counted, warms up. The result is in the order of the cases. Throws
/// what a case throws.
std::vector<Timing> time_rounds(const std::vector<BenchCase>& cases, const RoundOptions& options);

}  // namespace slopegan
