#include "bench/step_arithmetic.h"

namespace slopegan {

double forward_flop(const BlockChainImpl& network, std::int64_t size) {
  double flop = 0;
  for (const auto& block : network.blocks) {
    const auto& o = block->conv->options();
    const std::int64_t output = block->conv->output_size(size);
    const std::int64_t side =
        o.transposed ? size : output;  // each place of the small maps has k² products a channel pair
    flop += 2.0 * static_cast<double>(o.in_channels * o.out_channels * o.kernel * o.kernel * side * side);
    size = output;
  }
  return flop;
}

double step_flop(const BlockChainImpl& generator, const BlockChainImpl& discriminator, std::int64_t resolution) {
  return 8 * forward_flop(discriminator, resolution) + 3 * forward_flop(generator, 1);
}

}  // namespace slopegan
