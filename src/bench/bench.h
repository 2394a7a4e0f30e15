#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/timing.h"
#include "config/config.h"
#include "models/block.h"
#include "models/compute.h"

/// The benchmarks of `slopegan bench`. Inputs are synthetic and outputs are discarded, except in bench_sweep, which
/// reads the data set and writes files to a temporary directory.
namespace slopegan {

/// A configuration to measure and its name in the table.
struct BenchVariant {
  std::string name;
  Config config;
};

/// Measures the training step (networks, losses, penalties, Adam, moving average) of each variant on a batch in memory.
/// The time of a step is averaged over one period of the R1 and R2 penalties (loss.r1_every). The peak rate of each
/// dtype is that of the faster of two references: a 2048 x 2048 (256 x 256 where bfloat16 is emulated) matrix product,
/// and the first strided convolution between hidden layers of the first variant. Images have `channels` channels: 1
/// or 3. If `busy` is not 0, the steps are measured again, for the same duration, while `busy` other processes occupy
/// one core each.
BenchResult bench_step(const std::vector<BenchVariant>& variants, std::int64_t channels, const RoundOptions& options,
                       int busy = 0);

/// Measures the generator of each variant in evaluation mode, from latents to float32 images, with batches of 1 and 64.
BenchResult bench_inference(const std::vector<BenchVariant>& variants, std::int64_t channels,
                            const RoundOptions& options);

/// Compares this program's Leaky ReLU with LibTorch's Leaky ReLU and ReLU: forward, backward and in place, with tensors
/// that fit into the cache (1 MiB) and tensors that do not (31 MiB). The references are copy and add. Then measures a
/// block of convolution, batch norm and activation.
BenchResult bench_activation(const Compute& compute, double slope, const RoundOptions& options);

/// Measures sweeps of `arms` runs of `config`: in parallel with one thread each, and sequentially with all threads. In
/// addition, measures one arm with a single step, which takes little longer than the start-up of an arm. Each case runs
/// once per round, for `rounds` rounds. Throws StoppedError, or an Error with the exit code of a failed arm.
BenchResult bench_sweep(const Config& config, std::int64_t arms, int rounds);

/// The number of FLOP for the convolutions in a forward pass of one image of `size` x `size` pixels (size 1 for the
/// latent of a generator). A multiply-add counts as two. Normalisation and activations are not counted.
double forward_flop(const BlockChainImpl& network, std::int64_t size);

/// The number of FLOP of a training step without a penalty, per image of a batch; a step has one batch per
/// discriminator step. A backward pass counts as two forward passes. With one discriminator step, the discriminator
/// needs 8 forward passes: forward and backward on real and on generated images, then forward and input gradient for
/// the generator. The generator needs 3: forward and backward. Each further discriminator step needs 6 forward passes
/// of the discriminator and 1 of the generator.
double step_flop(const BlockChainImpl& generator, const BlockChainImpl& discriminator, std::int64_t resolution,
                 std::int64_t discriminator_steps = 1);

}  // namespace slopegan
