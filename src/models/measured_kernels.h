#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "layers/tiled_products.h"

namespace slopegan {

/// Chooses the kernel for each kind of product by measuring both kernels the first time that such a product is needed.
/// A kind is a product, a dtype, a shape and a number of threads; batch sizes are rounded up to powers of two.
///
/// The kernels differ in rounding. So that processes with the same cache choose alike, the first choice for a kind is
/// stored in a file in the cache, and all processes use it. Checkpoints also contain the choices, so that a resumed run
/// is bit-identical even if the cache was deleted.
class MeasuredKernels : public KernelSelector {
 public:
  /// `cache`: the file that stores the choices. If it cannot be written, the choices are kept in this object only.
  /// `seconds`: the clock, in seconds.
  MeasuredKernels(std::filesystem::path cache, std::function<double()> seconds);

  /// Returns `expected` unless the other kernel is measured to be at least 10 % faster. Thread-safe.
  bool selects_tiles(Product product, at::ScalarType type, const ProductShape& shape, bool expected,
                     const std::function<void(bool in_tiles)>& compute) override;

  /// The choices that this object has made or restored, one line each:
  /// "transpose bfloat16 64 128 64 4 4, 2 threads: tiles". The numbers are those of ProductShape.
  std::vector<std::string> choices() const;

  /// Makes these choices, regardless of the cache. Lines that are not choices are ignored.
  void restore(const std::vector<std::string>& choices);

 private:
  using Kind = std::tuple<Product, at::ScalarType, ProductShape, std::int64_t>;
  using Choices = std::map<Kind, bool>;

  static std::string line_of(const Kind& kind, bool in_tiles);
  static std::optional<std::pair<Kind, bool>> parse(const std::string& line);
  Choices read_cache() const;
  bool store(const Kind& kind, bool in_tiles);
  bool measure(const Kind& kind, bool expected, const std::function<void(bool in_tiles)>& compute) const;

  std::filesystem::path cache_;
  std::function<double()> seconds_;
  mutable std::mutex mutex_;  // guards choices_
  Choices choices_;
};

/// Configures how kernels are chosen, according to the environment variable SLOPEGAN_KERNELS: `measured` with
/// MeasuredKernels, `table` with expects_tiles(). If the variable is not set, kernels are measured on processors with
/// AMX, for which no table exists. Throws UsageError for other values.
void configure_kernels();

/// MeasuredKernels::choices(); empty if kernels are not measured.
std::vector<std::string> kernel_choices();

/// MeasuredKernels::restore(); does nothing if kernels are not measured.
void restore_kernel_choices(const std::vector<std::string>& choices);

}  // namespace slopegan
