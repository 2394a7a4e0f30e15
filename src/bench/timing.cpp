#include "bench/timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <sys/resource.h>

#include <ATen/Context.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <nlohmann/json.hpp>

#include "support/seconds_since.h"
#include "support/text.h"

namespace slopegan {

namespace {

using Clock = std::chrono::steady_clock;

/// Waits until the GPU has finished, if this process uses one.
void wait_for_gpu() {
  if (!at::hasCUDA() || at::getNumGPUs() == 0) return;
  const auto& cuda = at::globalContext().getAcceleratorHooksInterface(at::kCUDA);
  const auto device = cuda.getCurrentDevice();
  if (cuda.hasPrimaryContext(device)) c10::impl::VirtualGuardImpl(at::kCUDA).synchronizeDevice(device);
}

double time_calls(const BenchCase& bench_case, int calls) {
  wait_for_gpu();
  const auto start = Clock::now();
  for (int i = 0; i < calls; ++i) bench_case.run();
  wait_for_gpu();
  return seconds_since(start) / calls / bench_case.repeats;
}

double work(const BenchCase& bench_case) { return bench_case.flop > 0 ? bench_case.flop : bench_case.bytes; }

std::string cell(double value, int decimals, const char* unit = "") {
  return value > 0 ? format_text("{:.{}f}{}", value, decimals, unit) : "-";
}

}  // namespace

double Timing::quantile(double probability) const {
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  const double position = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], position - static_cast<double>(below));
}

int calls_per_measurement(double seconds_per_call, double seconds) {
  constexpr double clock_resolution = 1e-9;  // a fast call may measure 0 s
  return static_cast<int>(std::clamp(std::ceil(seconds / std::max(seconds_per_call, clock_resolution)), 1.0, 1e6));
}

std::vector<Timing> time_rounds(const std::vector<BenchCase>& cases, const RoundOptions& options) {
  std::vector<int> calls;
  for (const auto& bench_case : cases) {
    const auto time_one = [&] { return time_calls(bench_case, 1) * bench_case.repeats; };
    double once = time_one();  // initialises kernels and caches
    if (once < options.seconds_per_measurement) once = time_one();
    calls.push_back(calls_per_measurement(once, options.seconds_per_measurement));
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

double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

BenchResult run_bench(const std::string& name, const std::vector<BenchCase>& cases, const RoundOptions& options) {
  const auto timings = time_rounds(cases, options);
  std::map<std::string, double> ceilings;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    auto& ceiling = ceilings[cases[i].group];
    if (cases[i].is_reference) ceiling = std::max(ceiling, work(cases[i]) / timings[i].quantile(0));
  }
  BenchResult result{name, {}, {}, peak_memory_mib()};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    result.rows.push_back({cases[i], timings[i], cases[i].group.empty() ? 0 : ceilings[cases[i].group]});
  }
  return result;
}

std::string bench_json(const BenchResult& result) {
  nlohmann::ordered_json json = {{"bench", result.name}};
  for (const auto& [key, value] : result.facts) json[key] = value;
  json["peak_memory_mib"] = result.peak_memory_mib;
  json["rows"] = nlohmann::ordered_json::array();
  for (const auto& row : result.rows) {
    const auto& bench_case = row.bench_case;
    nlohmann::ordered_json line = {{"name", bench_case.name},
                                   {"rounds", row.timing.seconds.size()},
                                   {"seconds", row.timing.median()},
                                   {"seconds_lower_quartile", row.timing.quantile(0.25)},
                                   {"seconds_upper_quartile", row.timing.quantile(0.75)}};
    if (bench_case.images > 0) line["images_per_second"] = row.images_per_second();
    if (bench_case.images > 0 && bench_case.flop > 0) line["flop_per_image"] = bench_case.flop / bench_case.images;
    if (bench_case.flop > 0) line["gflop_per_second"] = row.rate() / 1e9;
    if (bench_case.flop == 0 && bench_case.bytes > 0) line["gigabytes_per_second"] = row.rate() / 1e9;
    if (row.ceiling > 0) line["share_of_peak"] = row.rate() / row.ceiling;
    if (bench_case.is_reference) line["reference"] = true;
    if (row.of_quiet > 0) line["ratio_to_quiet"] = row.of_quiet;
    json["rows"].push_back(line);
  }
  return json.dump(2) + "\n";
}

std::string bench_table(const BenchResult& result) {
  std::string text =
      format_text("{:<46} {:>10} {:>17} {:>10} {:>9} {:>8}\n", "", "ms", "quartiles", "images/s", "G/s", "of peak");
  for (const auto& row : result.rows) {
    const auto& bench_case = row.bench_case;
    const double share = row.ceiling > 0 ? 100 * row.rate() / row.ceiling : 0;
    text += format_text("{:<46} {:10.3f} {:8.3f} {:8.3f} {:>10} {:>9} {:>8}\n", bench_case.name,
                        1e3 * row.timing.median(), 1e3 * row.timing.quantile(0.25), 1e3 * row.timing.quantile(0.75),
                        cell(bench_case.images > 0 ? row.images_per_second() : 0, 0), cell(row.rate() / 1e9, 1),
                        cell(share, 0, " %"));
  }
  for (const auto& row : result.rows) {
    if (row.of_quiet > 0)
      text += format_text("{}: {:.2f} times the rate on a quiet machine\n", row.bench_case.name, row.of_quiet);
  }
  return text;
}

}  // namespace slopegan
