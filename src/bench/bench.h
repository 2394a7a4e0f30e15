#pragma once

#include <string>
#include <vector>

#include "bench/bench_result.h"
#include "config/config.h"
#include "models/compute.h"

/// What `slopegan bench` measures. Inputs are synthetic, and results are thrown away; nothing is written but by
/// bench_sweep, in a directory of its own that is removed.
namespace slopegan {

/// A configuration that is measured, and what it is called in the table.
struct BenchVariant {
  std::string name;
  Config config;
};

/// The training step (networks, losses, Adam, average) of each variant on a batch that is there already, beside a
/// matrix product of 2048 x 2048 and the widest convolution of the first variant in each dtype that occurs, whose
/// fastest is the machine's peak. `channels` of the images: 1 or 3.
BenchResult bench_step(const std::vector<BenchVariant>& variants, std::int64_t channels, const RoundOptions& options);

/// The generator of each variant in evaluation mode, 1 image and a batch of 64 at a time, from latents to float32
/// images.
BenchResult bench_inference(const std::vector<BenchVariant>& variants, std::int64_t channels,
                            const RoundOptions& options);

/// Our Leaky ReLU, ReLU and LibTorch's own, forwards and backwards, in and out of place, in cache (tensors of 1 MiB)
/// and out of it (31 MiB each, two or three at a time), beside copying and adding; then what they cost in a block of
/// convolution, batch norm and activation.
BenchResult bench_activation(const Compute& compute, double slope, const RoundOptions& options);

/// `arms` trainings of `config` side by side with a thread each, and one after the other with all threads, as sweeps of
/// this program; and the shortest run that there is, for the start of an arm. One round each, `rounds` times.
BenchResult bench_sweep(const Config& config, std::int64_t arms, int rounds);

}  // namespace slopegan
