#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

/// Times benchmark cases in rounds and reports the resulting rates as a table and as JSON.
namespace slopegan {

/// A function to time. Its rates are computed from its work, which is given as images, flop and bytes; each is 0 if it
/// does not apply.
struct BenchCase {
  std::string name;
  std::function<void()> run;
  double images = 0;
  double flop = 0;
  double bytes = 0;
  /// Cases of one group, such as "float32", share a peak: the highest rate of the references in the group.
  std::string group = {};
  bool is_reference = false;
  /// How many times one call of run() does the work given above. Times and rates refer to doing the work once.
  int repeats = 1;
};

/// The duration of the work of a case, in seconds, with one value per round.
struct Timing {
  std::vector<double> seconds;

  double median() const { return quantile(0.5); }
  /// The quantile for `probability` in [0, 1], with linear interpolation.
  double quantile(double probability) const;
};

struct RoundOptions {
  double seconds = 10;                    ///< for all cases together, after the warm-up
  int min_rounds = 5;                     ///< even if that takes longer than `seconds`
  int max_rounds = 200;                   ///< even if time is left
  double seconds_per_measurement = 0.02;  ///< short cases are repeated until a measurement takes this long
};

/// The number of calls, between 1 and a million, that together take about `seconds`.
int calls_per_measurement(double seconds_per_call, double seconds);

/// Times all cases in rounds. Each round measures every case once, in order, so that temporary load on the machine
/// affects all cases alike. A warm-up, which is not counted, precedes the rounds. The results are in the order of the
/// cases. Propagates exceptions from the cases.
std::vector<Timing> time_rounds(const std::vector<BenchCase>& cases, const RoundOptions& options);

/// A case with its timing and rates.
struct BenchRow {
  BenchCase bench_case;
  Timing timing;
  double ceiling = 0;   ///< FLOP/s or byte/s of the fastest reference in its group; 0 if there is none
  double of_quiet = 0;  ///< the rate on a busy machine relative to a quiet one; 0 if not measured

  double images_per_second() const { return bench_case.images / timing.median(); }
  /// FLOP/s if the case counts FLOP, otherwise byte/s.
  double rate() const { return (bench_case.flop > 0 ? bench_case.flop : bench_case.bytes) / timing.median(); }
};

struct BenchResult {
  std::string name;                                        ///< "step"
  std::vector<std::pair<std::string, std::string>> facts;  ///< machine, threads, versions
  std::vector<BenchRow> rows;
  double peak_memory_mib = 0;  ///< of the process; for bench_step, before the references allocate their matrices
};

/// The peak resident set size of the process so far.
double peak_memory_mib();

/// Times the cases and computes the peak of each group from the fastest round of each reference.
BenchResult run_bench(const std::string& name, const std::vector<BenchCase>& cases, const RoundOptions& options);

/// A JSON object with the facts and a list `rows`, which contains medians and quartiles in seconds, and the rates that
/// apply.
std::string bench_json(const BenchResult& result);

/// A human-readable table with a trailing newline.
std::string bench_table(const BenchResult& result);

}  // namespace slopegan
