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
/// A kind is a product, a dtype, a shape and a number of threads; batch sizes are rounded up to powers of two. The time
/// for laying out a weight, which all products of a step share, is not measured.
///
/// The kernels differ in rounding. So that processes with the same cache choose alike, the first choice for a kind is
/// stored in a file in the cache, and all processes use it. Checkpoints also contain the choices that the run has made
/// so far, so that a resumed run uses the same kernels even if the cache was deleted.
class MeasuredKernels : public KernelSelector {
 public:
  static constexpr std::size_t most_choices = 1000;

  /// `cache`: the file that stores the choices. If it cannot be read or written, or if other processes lock it for more
  /// than a second, a warning is logged once, and the choices are kept in this object only.
  /// `seconds`: the clock, in seconds.
  MeasuredKernels(std::filesystem::path cache, std::function<double()> seconds);

  /// Returns `expected` unless the other kernel is measured to be at least 10 % faster. Only `most_choices` kinds are
  /// measured; for all others, returns `expected`. Thread-safe.
  bool selects_tiles(Product product, at::ScalarType type, const ProductShape& shape, bool expected,
                     const std::function<void(bool in_tiles)>& compute) override;

  /// The choices that this object has made or restored, one line each:
  /// "transpose bfloat16 64 128 64 4 4, 2 threads: tiles". The numbers are those of ProductShape.
  std::vector<std::string> choices() const;

  /// Makes these choices, regardless of the cache. Lines that are not choices are ignored, and so are all lines after
  /// most_choices choices.
  void restore(const std::vector<std::string>& choices);

 private:
  using Kind = std::tuple<Product, at::ScalarType, ProductShape, std::int64_t>;
  using Choices = std::map<Kind, bool>;

  static std::string line_of(const Kind& kind, bool in_tiles);
  static std::optional<std::pair<Kind, bool>> parse(const std::string& line);
  Choices read_cache() const;
  bool store(const Kind& kind, bool in_tiles);
  bool measure(const Kind& kind, bool expected, const std::function<void(bool in_tiles)>& compute) const;
  void warn(const std::string& reason);

  std::filesystem::path cache_;
  std::function<double()> seconds_;
  mutable std::mutex mutex_;  // guards the members below
  Choices choices_;
  bool has_warned_ = false;
};

/// Configures how kernels are chosen, according to the environment variable SLOPEGAN_KERNELS: `measured` with
/// MeasuredKernels; `table`, the default, with expects_tiles(). Throws UsageError for other values.
void configure_kernels();

/// Uses the table from now on. Ranks call this: if each rank measured, they would need to agree on the choices.
void use_kernel_table();

/// Whether kernels for this dtype are measured on this processor.
bool measures_kernels(at::ScalarType type);

/// Whether the processor has AMX instructions for bfloat16. The table was measured on processors without them.
bool has_amx_bfloat16();

/// A hint for the log that measured kernels may be faster; empty unless `type` is bfloat16, the processor has AMX, and
/// SLOPEGAN_KERNELS is not set.
std::string kernels_hint(at::ScalarType type, bool has_amx);

/// kernels_hint() for this processor; also empty if slopegan's own kernels are not available.
std::string kernels_hint(at::ScalarType type);

/// MeasuredKernels::choices(); empty if kernels are not measured.
std::vector<std::string> kernel_choices();

/// MeasuredKernels::restore(); does nothing if kernels are not measured.
void restore_kernel_choices(const std::vector<std::string>& choices);

}  // namespace slopegan
