#include "sampling/latents.h"

#include <cmath>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>

#include "support/random.h"

namespace slopegan {

namespace {

at::Tensor axis(std::int64_t size, std::int64_t index) {
  auto unit = at::zeros({size}, at::kDouble);
  unit[index] = 1;
  return unit;
}

at::Tensor direction(const at::Tensor& vector) {
  const auto precise = vector.to(at::kDouble);
  const double length = precise.norm().item<double>();
  return length > 0 ? precise / length : axis(vector.size(0), 0);
}

/// Returns the unit vector that is orthogonal to `unit` in the plane of both vectors, or an undefined tensor if they
/// are collinear.
at::Tensor perpendicular_towards(const at::Tensor& unit, const at::Tensor& other) {
  const auto rest = other - unit * unit.dot(other);
  const double length = rest.norm().item<double>();
  return length > 1e-7 ? rest / length : at::Tensor();
}

}  // namespace

at::Tensor draw_latents(std::uint64_t seed, std::string_view stream, std::int64_t index, std::int64_t count,
                        std::int64_t latent_dim) {
  auto latents = at::empty({count, latent_dim}, at::TensorOptions(at::kFloat));
  RandomStream(seed, stream, static_cast<std::uint64_t>(index))
      .fill_normal({latents.mutable_data_ptr<float>(), static_cast<std::size_t>(latents.numel())});
  return latents;
}

at::Tensor sample_latents(const Config& config, std::int64_t count) {
  return draw_latents(static_cast<std::uint64_t>(config.seed), "samples/latents", 0, count,
                      config.generator.latent_dim);
}

LatentSource numbered_latents(std::uint64_t seed, std::int64_t latent_dim) {
  return [=](std::int64_t first, std::int64_t count) {
    std::vector<at::Tensor> latents;
    for (std::int64_t i = first; i < first + count; ++i) {
      latents.push_back(draw_latents(seed, "generate/latents", i, 1, latent_dim));
    }
    return at::cat(latents);
  };
}

at::Tensor slerp(const at::Tensor& from, const at::Tensor& to, double t) {
  if (from.dim() != 1 || from.sizes() != to.sizes() || from.size(0) < 1) {
    throw std::invalid_argument("slerp: two vectors of the same size are expected");
  }
  const auto size = from.size(0);
  const auto start = direction(from), end = direction(to);
  const auto on_sphere = [&](const at::Tensor& unit) {
    return (unit * std::sqrt(static_cast<double>(size))).to(from.scalar_type());
  };
  if (t <= 0) return on_sphere(start);
  if (t >= 1) return on_sphere(end);
  auto side = perpendicular_towards(start, end);
  const double cosine = start.dot(end).item<double>();
  if (!side.defined()) {
    if (cosine > 0) return on_sphere(start);
    if (size == 1) return on_sphere(t < 0.5 ? start : end);
    side = perpendicular_towards(start, axis(size, start.abs().argmin().item<std::int64_t>()));
  }
  // atan2 is accurate near 0 and pi, unlike the arc cosine.
  const double angle = t * std::atan2((end - start * cosine).norm().item<double>(), cosine);
  return on_sphere(start * std::cos(angle) + side * std::sin(angle));
}

LatentWalk::LatentWalk(at::Tensor stations, std::int64_t steps) : stations_(std::move(stations)), steps_(steps) {
  if (stations_.dim() != 2 || stations_.size(0) < 1 || steps_ < 1) {
    throw std::invalid_argument("LatentWalk: needs at least one station and one step");
  }
}

at::Tensor LatentWalk::latents(std::int64_t first, std::int64_t count) const {
  std::vector<at::Tensor> points;
  for (std::int64_t i = first; i < first + count; ++i) {
    const auto leg = i / steps_ % stations_.size(0);
    const double t = static_cast<double>(i % steps_) / static_cast<double>(steps_);
    points.push_back(slerp(stations_[leg], stations_[(leg + 1) % stations_.size(0)], t));
  }
  return at::stack(points);
}

}  // namespace slopegan
