#include "bench/rounds.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace slopegan {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double time_calls(const BenchCase& bench_case, int calls) {
  const auto start = Clock::now();
  for (int i = 0; i < calls; ++i) bench_case.run();
  return seconds_since(start) / calls;
}

}  // namespace

double Timing::quantile(double share) const {
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

std::vector<Timing> time_rounds(const std::vector<BenchCase>& cases, const RoundOptions& options) {
  std::vector<int> calls;
  for (const auto& bench_case : cases) {
    double once = time_calls(bench_case, 1);  // builds kernels and caches
    if (once < options.seconds_per_measurement) once = time_calls(bench_case, 1);
    calls.push_back(static_cast<int>(std::clamp(std::ceil(options.seconds_per_measurement / once), 1.0, 1e6)));
  }
  std::vector<Timing> timings(cases.size());
  const auto start = Clock::now();
  for (int round = 0; round < options.max_rounds; ++round) {
    if (round >= options.min_rounds && seconds_since(start) >= options.seconds) break;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      timings[i].seconds.push_back(time_calls(cases[i], calls[i]));
    }
  }
  return timings;
}

}  // namespace slopegan
