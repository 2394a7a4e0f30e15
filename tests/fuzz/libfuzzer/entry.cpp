#include <cstddef>
#include <cstdint>

#include "fuzz/targets.h"

/// SLOPEGAN_FUZZ_TARGET is the name of a function in fuzz/targets.h.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  slopegan::fuzz::SLOPEGAN_FUZZ_TARGET({data, size});
  return 0;
}
