#pragma once

#include <cstdint>

#include "models/block.h"

namespace slopegan {

/// FLOP of the convolutions of one forward pass of one image whose side is `size` (1 for a generator's latent), a
/// product and its sum counted as two. Norms and activations are not counted.
double forward_flop(const BlockChainImpl& network, std::int64_t size);

/// FLOP an image of a training step with one discriminator step and no penalty, the way the field counts: the
/// discriminator forwards and backwards (twice a forward) on real and on generated images, the generator forwards, the
/// discriminator forwards and its input gradient, the generator backwards: 8 forward passes of the discriminator and 3
/// of the generator.
double step_flop(const BlockChainImpl& generator, const BlockChainImpl& discriminator, std::int64_t resolution);

}  // namespace slopegan
