#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/rounds.h"

namespace slopegan {

/// A case with its times and what follows from them.
struct BenchRow {
  BenchCase bench_case;
  Timing timing;
  double ceiling = 0;  ///< FLOP/s or byte/s of the fastest reference of its group; 0 where it has none

  double images_per_second() const { return bench_case.images / timing.median(); }
  /// FLOP/s or byte/s, whichever the case counts.
  double rate() const { return (bench_case.flop > 0 ? bench_case.flop : bench_case.bytes) / timing.median(); }
};

struct BenchResult {
  std::string name;                                        ///< "step"
  std::vector<std::pair<std::string, std::string>> facts;  ///< machine, threads, what was measured
  std::vector<BenchRow> rows;
  double peak_memory_mib = 0;  ///< of the process, over all rows; of a step's bench without the references' matrices
};

/// The most memory that the process has had so far.
double peak_memory_mib();

/// Times the cases and works the ceilings out. A reference's own rate for a ceiling is that of its fastest round.
BenchResult run_bench(const std::string& name, const std::vector<BenchCase>& cases, const RoundOptions& options);

/// An object with the facts and a list `rows`; medians and quartiles in seconds, rates where they have a meaning.
std::string bench_json(const BenchResult& result);

/// For people; ends with a newline.
std::string bench_table(const BenchResult& result);

}  // namespace slopegan
