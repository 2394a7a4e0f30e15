#include "models/measured_kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string_view>
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
constexpr double least_gain = 1.1;
constexpr int rounds = 5;

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

MeasuredKernels::Choices MeasuredKernels::read_cache() const {
  Choices choices;
  if (!std::filesystem::exists(cache_)) return choices;
  std::istringstream lines(read_file(cache_, largest_cache_file));
  for (std::string line; std::getline(lines, line);) {
    if (const auto choice = parse(line)) choices.insert(*choice);
  }
  return choices;
}

/// Stores the choice, unless another process has already stored one, and returns the one that is stored.
bool MeasuredKernels::store(const Kind& kind, bool in_tiles) {
  try {
    const FileLock lock = wait_for_cache_lock(cache_);
    Choices choices = read_cache();
    const auto [stored, is_new] = choices.emplace(kind, in_tiles);
    if (!is_new) return stored->second;
    std::string text;
    for (const auto& [other, tiles] : choices) text += line_of(other, tiles) + "\n";
    write_file_atomic(cache_, text);
    follow_directory_mode(cache_);
  } catch (const IoError& error) {
    log::debug(std::string("the choice of a kernel cannot be stored: ") + error.what());
  }
  return in_tiles;
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
  bool in_tiles = expected;
  try {
    const Choices stored = read_cache();
    const auto known = stored.find(kind);
    in_tiles = known != stored.end() ? known->second : store(kind, measure(kind, expected, compute));
  } catch (const IoError& error) {
    log::debug(std::string("the stored choices of kernels cannot be read: ") + error.what());
    in_tiles = measure(kind, expected, compute);
  }
  choices_.emplace(kind, in_tiles);
  return in_tiles;
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
    if (const auto choice = parse(line)) choices_.insert_or_assign(choice->first, choice->second);
  }
}

// --- The selector of the process

namespace {

/// nullptr if kernels are not measured. Never destroyed, because threads may compute products until the process ends.
MeasuredKernels* process_kernels = nullptr;

struct CpuId {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

/// The result of the instruction CPUID; zeros on other architectures.
CpuId cpu_id([[maybe_unused]] unsigned leaf) {
  CpuId id;
#if defined(__x86_64__)
  __get_cpuid_count(leaf, 0, &id.a, &id.b, &id.c, &id.d);
#endif
  return id;
}

/// Whether the processor multiplies bfloat16 matrices with AMX, and slopegan's kernels may use the newest instructions.
bool has_amx() {
  constexpr unsigned amx_bf16 = 1u << 22;
  return instruction_set() == InstructionSet::avx512_bf16 && (cpu_id(7).d & amx_bf16) != 0;
}

bool must_measure() {
  const char* variable = std::getenv("SLOPEGAN_KERNELS");
  const std::string value = variable != nullptr ? variable : "";
  if (value.empty()) return has_amx();
  if (value != "measured" && value != "table") {
    throw UsageError("SLOPEGAN_KERNELS = " + printable(value) + ": expected measured or table");
  }
  return value == "measured";
}

/// The file in the cache for this processor and everything else that determines which kernels are fast.
std::filesystem::path kernel_file() {
  const char* onednn = std::getenv("ONEDNN_MAX_CPU_ISA");
  // Virtual machines often report a model name without the number of the model, so its signature is added.
  const std::string description =
      format_text("{} {:x}, {}, {}, LibTorch {}", cpu_model(), cpu_id(1).a, name_of(instruction_set()),
                  onednn != nullptr ? onednn : "", TORCH_VERSION);
  return cache_dir() / "kernels" / (sha256_hex(description).substr(0, 32) + ".txt");
}

}  // namespace

void configure_kernels() {
  if (!must_measure()) return;
  const auto start = std::chrono::steady_clock::now();
  process_kernels = new MeasuredKernels(kernel_file(), [start] { return seconds_since(start); });
  set_kernel_selector(process_kernels);
}

std::vector<std::string> kernel_choices() {
  return process_kernels != nullptr ? process_kernels->choices() : std::vector<std::string>();
}

void restore_kernel_choices(const std::vector<std::string>& choices) {
  if (process_kernels != nullptr) process_kernels->restore(choices);
}

}  // namespace slopegan
