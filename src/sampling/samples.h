#pragma once

#include <cstdint>
#include <set>
#include <string_view>

#include "config/config.h"
#include "data/dataset.h"
#include "images/grid.h"
#include "models/compute.h"
#include "models/inference_generator.h"
#include "run/run_directory.h"

namespace slopegan {

/// The layout of samples/<images>.png and reals.png.
GridLayout samples_layout(const SamplesConfig& samples);

/// [count, latent_dim] standard normals, a function of (seed, stream, index) alone.
at::Tensor draw_latents(std::uint64_t seed, std::string_view stream, std::int64_t index, std::int64_t count,
                        std::int64_t latent_dim);

/// [count, latent_dim] latents that every picture of a run uses: a function of the seed alone, so that all slopes of a
/// sweep show the same ones, and more of them begin with the fewer.
at::Tensor sample_latents(const Config& config, std::int64_t count);

/// Images of the generator, float32 [N, C, R, R] on the CPU, 64 at a time.
at::Tensor generate_images(const InferenceGenerator& generator, const at::Tensor& latents);

/// The same of a generator in evaluation mode (running statistics), whatever mode it is in, as it is now.
at::Tensor generate_images(const Generator& generator, const at::Tensor& latents, const Compute& compute);

/// The numbers of the files samples/<images>.png of a run.
std::set<std::int64_t> sample_counts(const RunPaths& run);

/// `count` real images as the discriminator sees them, float32 [N, C, R, R]; a function of the seed alone.
at::Tensor real_images(const Dataset& dataset, const Config& config, std::int64_t count);

}  // namespace slopegan
