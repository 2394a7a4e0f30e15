#include "models/measured_kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>

#include <ATen/Parallel.h>
#include <torch/version.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "layers/instruction_set.h"
#include "support/cache_directory.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/machine.h"
#include "support/seconds_since.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::size_t largest_cache_file = 1 << 20;
constexpr double least_gain = 1.1, clear_gain = 1.5;
constexpr int rounds = 5, clear_rounds = 3;

constexpr std::array<std::pair<Product, const char*>, 3> product_names = {
    {{Product::convolve, "convolve"}, {Product::transpose, "transpose"}, {Product::correlate, "correlate"}}};
constexpr std::array<std::pair<at::ScalarType, const char*>, 2> type_names = {
    {{at::kFloat, "float32"}, {at::kBFloat16, "bfloat16"}}};

template <class T, std::size_t size>
std::string name_in(const std::array<std::pair<T, const char*>, size>& names, T value) {
  return std::ranges::find(names, value, &std::pair<T, const char*>::first)->second;
}
template <class T, std::size_t size>
std::optional<T> value_named(const std::array<std::pair<T, const char*>, size>& names, std::string_view name) {
  for (const auto& [value, known] : names) {
    if (name == known) return value;
  }
  return std::nullopt;
}

std::string kernel_name(bool in_tiles) { return in_tiles ? "tiles" : "library"; }

}  // namespace

MeasuredKernels::MeasuredKernels(std::filesystem::path cache, std::function<double()> seconds)
    : cache_(std::move(cache)), seconds_(std::move(seconds)) {}

std::string MeasuredKernels::line_of(const Kind& kind, bool in_tiles) {
  const auto& [product, type, shape, threads] = kind;
  return format_text("{} {} {} {} {} {} {}, {} thread{}: {}", name_in(product_names, product),
                     name_in(type_names, type), shape.count, shape.low, shape.high, shape.height, shape.width, threads,
                     plural_s(threads), kernel_name(in_tiles));
}

std::optional<std::pair<MeasuredKernels::Kind, bool>> MeasuredKernels::parse(const std::string& line) {
  std::istringstream words(line);
  std::string product_name, type_name;
  ProductShape shape;
  std::int64_t threads = 0;
  words >> product_name >> type_name >> shape.count >> shape.low >> shape.high >> shape.height >> shape.width;
  words.ignore(1, ',') >> threads;
  const auto product = value_named(product_names, product_name);
  const auto type = value_named(type_names, type_name);
  if (!words || !product || !type) return std::nullopt;
  const Kind kind{*product, *type, shape, threads};
  for (const bool in_tiles : {false, true}) {
    if (line == line_of(kind, in_tiles)) return std::pair(kind, in_tiles);
  }
  return std::nullopt;
}

/// The stored choices; empty if there are none. Throws IoError.
MeasuredKernels::Choices MeasuredKernels::read_cache() const {
  Choices choices;
  std::error_code error;
  if (!std::filesystem::exists(cache_, error) && !error) return choices;
  std::istringstream lines(read_file(cache_, largest_cache_file));
  for (std::string line; std::getline(lines, line);) {
    if (const auto choice = parse(line)) choices.insert(*choice);
  }
  return choices;
}

/// Acquires the lock, or throws BusyError if other processes hold it for about a second. Does not wait longer, because
/// the choice of a kernel must not delay training, or the response to a signal.
static FileLock lock_soon(const std::filesystem::path& file) {
  constexpr int attempts = 20;
  constexpr std::chrono::milliseconds pause(50);
  for (int attempt = 1; attempt < attempts; ++attempt) {
    try {
      return try_cache_lock(file);
    } catch (const BusyError&) {
      std::this_thread::sleep_for(pause);
    }
  }
  return try_cache_lock(file);
}

/// Stores the choice, unless another process has already stored one, and returns the one that is stored.
bool MeasuredKernels::store(const Kind& kind, bool in_tiles) {
  const FileLock lock = lock_soon(cache_);
  Choices choices = read_cache();
  const auto [stored, is_new] = choices.emplace(kind, in_tiles);
  if (!is_new) return stored->second;
  if (choices.size() > most_choices) throw IoError(display(cache_) + " is full");
  std::string text;
  for (const auto& [other, tiles] : choices) text += line_of(other, tiles) + "\n";
  write_file_atomic(cache_, text, Sync::later);
  follow_directory_mode(cache_);
  return in_tiles;
}

void MeasuredKernels::warn(const std::string& reason) {
  if (std::exchange(has_warned_, true)) return;
  log::warning(
      "the measured choices of kernels cannot be shared through the cache, so other runs may choose differently, "
      "and their results may differ in rounding: " +
      reason);
}

bool MeasuredKernels::measure(const Kind& kind, bool expected,
                              const std::function<void(bool in_tiles)>& compute) const {
  std::array<double, 2> best = {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  for (int round = 0; round <= rounds; ++round) {  // the first round only initialises the kernels
    for (const bool in_tiles : {false, true}) {
      const double start = seconds_();
      compute(in_tiles);
      const double duration = seconds_() - start;
      if (round > 0) best[in_tiles] = std::min(best[in_tiles], duration);
    }
    const bool is_clear = std::max(best[0], best[1]) > clear_gain * std::min(best[0], best[1]);
    if (round >= clear_rounds && is_clear) break;  // with fewer rounds, another process may have delayed one kernel
  }
  const bool in_tiles = best[!expected] * least_gain <= best[expected] ? !expected : expected;
  log::debug(
      format_text("{} (tiles {:.3f} ms, library {:.3f} ms)", line_of(kind, in_tiles), best[1] * 1e3, best[0] * 1e3));
  return in_tiles;
}

bool MeasuredKernels::selects_tiles(Product product, at::ScalarType type, const ProductShape& shape, bool expected,
                                    const std::function<void(bool in_tiles)>& compute) {
  Kind kind{product, type, shape, at::get_num_threads()};
  auto& count = std::get<ProductShape>(kind).count;
  count = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(count)));
  const std::lock_guard lock(mutex_);
  if (const auto known = choices_.find(kind); known != choices_.end()) return known->second;
  if (choices_.size() >= most_choices) return expected;
  std::optional<bool> in_tiles;
  try {
    const Choices stored = read_cache();
    if (const auto known = stored.find(kind); known != stored.end()) in_tiles = known->second;
  } catch (const IoError& error) {
    warn(error.what());
  }
  if (!in_tiles) {
    in_tiles = measure(kind, expected, compute);
    try {
      if (!has_warned_) in_tiles = store(kind, *in_tiles);
    } catch (const Error& error) {  // IoError or BusyError
      warn(error.what());
    }
  }
  choices_.emplace(kind, *in_tiles);
  return *in_tiles;
}

std::vector<std::string> MeasuredKernels::choices() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [kind, in_tiles] : choices_) lines.push_back(line_of(kind, in_tiles));
  return lines;
}

void MeasuredKernels::restore(const std::vector<std::string>& choices) {
  const std::lock_guard lock(mutex_);
  for (const auto& line : choices) {
    if (choices_.size() >= most_choices) return;
    if (const auto choice = parse(line)) choices_.insert_or_assign(choice->first, choice->second);
  }
}

// --- The selector of the process

bool has_amx_bfloat16() {
#if defined(__x86_64__)
  constexpr unsigned amx_bf16 = 1u << 22;
  unsigned a = 0, b = 0, c = 0, features = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &features) != 0 && (features & amx_bf16) != 0;
#else
  return false;
#endif
}

namespace {

/// nullptr if kernels are not measured. Never destroyed, because threads may compute products until the process ends.
MeasuredKernels* process_kernels = nullptr;

std::string variable_or_empty(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// The signature of the processor (family, model and stepping) and whether it has AMX for bfloat16. Virtual machines
/// often report a model name without the number of the model. Empty on other architectures than x86-64.
std::string signature() {
#if defined(__x86_64__)
  unsigned family = 0, b = 0, c = 0, d = 0;
  __get_cpuid(1, &family, &b, &c, &d);
  return format_text("{:x}{}", family, has_amx_bfloat16() ? " AMX" : "");
#else
  return "";
#endif
}

bool must_measure() {
  const std::string value = variable_or_empty("SLOPEGAN_KERNELS");
  if (value.empty() || value == "table") return false;
  if (value == "measured") return true;
  throw UsageError("SLOPEGAN_KERNELS = " + printable(value) + ": expected measured or table");
}

/// The version of the tiled products. Increase it if their speed changes, so that they are measured again.
constexpr int version_of_tiles = 1;

/// The file in the cache for this processor and everything else that determines which kernels are fast.
std::filesystem::path kernel_file() {
  const std::string description = format_text("{}, {}, {}, {}, {}, LibTorch {}, {}", cpu_model(), signature(),
                                              name_of(instruction_set()), variable_or_empty("ONEDNN_MAX_CPU_ISA"),
                                              variable_or_empty("DNNL_MAX_CPU_ISA"), TORCH_VERSION, version_of_tiles);
  return cache_dir() / "kernels" / (sha256_hex(description).substr(0, 32) + ".txt");
}

}  // namespace

void configure_kernels() {
  use_kernel_table();
  if (!must_measure()) return;
  const auto start = std::chrono::steady_clock::now();
  process_kernels = new MeasuredKernels(kernel_file(), [start] { return seconds_since(start); });
  set_kernel_selector(process_kernels);
}

void use_kernel_table() {
  set_kernel_selector(nullptr);
  process_kernels = nullptr;
}

/// Whether there are two kernels to choose from.
static bool supports_tiles_in(at::ScalarType type) { return supports_tiles(Product::correlate, type, {1, 2, 2, 2, 2}); }

bool measures_kernels(at::ScalarType type) { return process_kernels != nullptr && supports_tiles_in(type); }

std::string kernels_hint(at::ScalarType type, bool has_amx) {
  if (type != at::kBFloat16 || !has_amx || !variable_or_empty("SLOPEGAN_KERNELS").empty()) return "";
  return "this processor has AMX, and the choice of kernels was tuned on processors without it: "
         "SLOPEGAN_KERNELS=measured may be faster, but rounds differently (set it to table to suppress this hint)";
}

std::string kernels_hint(at::ScalarType type) {
  return kernels_hint(type, has_amx_bfloat16() && supports_tiles_in(type));
}

std::vector<std::string> kernel_choices() {
  return process_kernels != nullptr ? process_kernels->choices() : std::vector<std::string>();
}

void restore_kernel_choices(const std::vector<std::string>& choices) {
  if (process_kernels != nullptr) process_kernels->restore(choices);
}

}  // namespace slopegan
