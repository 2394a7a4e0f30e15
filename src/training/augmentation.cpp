#include "training/augmentation.h"

#include <ATen/ATen.h>

#include "support/ranges.h"

namespace slopegan {

namespace {

/// Draws random numbers for a whole batch and returns those for one part, on the device of the images.
struct BatchDraws {
  at::TensorOptions options;
  RandomStream random;
  Part part;

  /// [N, 1, 1, 1], uniform on [low, high).
  at::Tensor uniform(float low, float high) {
    auto values = at::empty({part.total}, at::kFloat);
    random.fill_uniform({values.mutable_data_ptr<float>(), static_cast<std::size_t>(values.numel())}, low, high);
    return own_part(values).to(options, /*non_blocking=*/true).view({-1, 1, 1, 1});
  }

  /// [N, 1], integers from 0 to bound − 1.
  at::Tensor below(std::int64_t bound) {
    auto values = at::empty({part.total, 1}, at::kLong);
    for (std::int64_t i = 0; i < part.total; ++i) {
      values.mutable_data_ptr<std::int64_t>()[i] = random.below(static_cast<std::uint32_t>(bound));
    }
    return own_part(values).to(options.device(), values.scalar_type(), /*non_blocking=*/true);
  }

  at::Tensor own_part(const at::Tensor& values) const { return values.narrow(0, part.first, part.count); }
};

std::int64_t max_translation(const at::Tensor& images) { return images.size(-1) / 8; }

at::Tensor positions(const at::Tensor& images) {
  return at::arange(images.size(-1), at::TensorOptions(at::kLong).device(images.device())).unsqueeze(0);
}

at::Tensor change_color(const at::Tensor& images, const AugmentationDraws& draws) {
  auto changed = images + draws.brightness;
  const auto grey = changed.mean(1, true);
  changed = at::lerp(grey.expand_as(changed), changed, draws.saturation);
  const auto mean = changed.mean({1, 2, 3}, true);
  return at::lerp(mean.expand_as(changed), changed, draws.contrast);
}

at::Tensor translate(const at::Tensor& images, const AugmentationDraws& draws) {
  const std::int64_t side = images.size(-1);
  // Pixels outside the image are read from a border of zeros, one pixel wide.
  const auto padded = at::constant_pad_nd(images, {1, 1, 1, 1});
  const auto source = [&](const at::Tensor& shift) { return (positions(images) + shift + 1).clamp(0, side + 1); };
  const auto rows = source(draws.row_shift), columns = source(draws.column_shift);
  const auto n = images.size(0), c = images.size(1);
  const auto by_rows = padded.gather(2, rows.view({n, 1, side, 1}).expand({n, c, side, side + 2}));
  return by_rows.gather(3, columns.view({n, 1, 1, side}).expand({n, c, side, side}));
}

at::Tensor cut_out(const at::Tensor& images, const AugmentationDraws& draws) {
  const std::int64_t hole = images.size(-1) / 2;
  const auto inside = [&](const at::Tensor& centre) {
    const auto offset = positions(images) - (centre - hole / 2);
    return offset.ge(0).logical_and_(offset.lt(hole));  // [N, side]
  };
  const auto rows = inside(draws.hole_row), columns = inside(draws.hole_column);
  const auto holes = rows.unsqueeze(2).logical_and(columns.unsqueeze(1)).unsqueeze(1);
  return images.masked_fill(holes, 0);
}

}  // namespace

AugmentationDraws draw_augmentation(const at::Tensor& images, const std::vector<Augmentation>& kinds,
                                    RandomStream random, const Part& part) {
  BatchDraws draw{images.options(), random, part};
  const auto is_configured = [&](Augmentation kind) { return contains(kinds, kind); };
  AugmentationDraws draws;
  if (is_configured(Augmentation::color)) {
    draws.brightness = draw.uniform(-0.5f, 0.5f);
    draws.saturation = draw.uniform(0, 2);
    draws.contrast = draw.uniform(0.5f, 1.5f);
  }
  if (is_configured(Augmentation::translation)) {
    const std::int64_t reach = max_translation(images);
    draws.row_shift = draw.below(2 * reach + 1) - reach;
    draws.column_shift = draw.below(2 * reach + 1) - reach;
  }
  if (is_configured(Augmentation::cutout)) {
    // A hole covers as many pixels before its centre as from its centre on. With the centres 0 to R, pixels at the
    // same distance from opposite borders are therefore cut out equally often.
    draws.hole_row = draw.below(images.size(-1) + 1);
    draws.hole_column = draw.below(images.size(-1) + 1);
  }
  return draws;
}

at::Tensor augment(at::Tensor images, const AugmentationDraws& draws) {
  if (draws.brightness.defined()) images = change_color(images, draws);
  if (draws.row_shift.defined()) images = translate(images, draws);
  if (draws.hole_row.defined()) images = cut_out(images, draws);
  return images;
}

at::Tensor augment(const at::Tensor& images, const std::vector<Augmentation>& kinds, RandomStream random) {
  return augment(images, draw_augmentation(images, kinds, random, Part::whole(images.size(0))));
}

}  // namespace slopegan
