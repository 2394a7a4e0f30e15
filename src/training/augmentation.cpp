#include "training/augmentation.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace slopegan {

namespace {

/// Draws for every image of the batch, and gives those of the part.
struct Draws {
  RandomStream random;
  Part part;

  /// [N, 1, 1, 1] uniform numbers on [low, high), like the images.
  at::Tensor uniform(const at::Tensor& images, float low, float high) {
    auto values = at::empty({part.total}, at::kFloat);
    random.fill_uniform({values.mutable_data_ptr<float>(), static_cast<std::size_t>(values.numel())}, low, high);
    return own(values).to(images.options()).view({-1, 1, 1, 1});
  }

  /// [N, 1] whole numbers from 0 to bound − 1.
  at::Tensor below(const at::Tensor& images, std::int64_t bound) {
    auto values = at::empty({part.total, 1}, at::kLong);
    for (std::int64_t i = 0; i < part.total; ++i) {
      values.mutable_data_ptr<std::int64_t>()[i] = random.below(static_cast<std::uint32_t>(bound));
    }
    return own(values).to(images.device());
  }

  at::Tensor own(const at::Tensor& values) const { return values.narrow(0, part.first, part.count); }
};

at::Tensor positions(const at::Tensor& images) {
  return at::arange(images.size(-1), at::TensorOptions(at::kLong).device(images.device())).unsqueeze(0);
}

at::Tensor change_color(const at::Tensor& images, Draws& draws) {
  auto changed = images + draws.uniform(images, -0.5f, 0.5f);
  const auto grey = changed.mean(1, true);
  changed = at::lerp(grey.expand_as(changed), changed, draws.uniform(images, 0, 2));
  const auto mean = changed.mean({1, 2, 3}, true);
  return at::lerp(mean.expand_as(changed), changed, draws.uniform(images, 0.5f, 1.5f));
}

at::Tensor translate(const at::Tensor& images, Draws& draws) {
  const std::int64_t side = images.size(-1), reach = side / 8;
  // One row and column of zeros on each side stand for everything outside.
  const auto padded = at::constant_pad_nd(images, {1, 1, 1, 1});
  const auto source = [&] {
    return (positions(images) + draws.below(images, 2 * reach + 1) - reach + 1).clamp(0, side + 1);
  };
  const auto rows = source(), columns = source();
  const auto n = images.size(0), c = images.size(1);
  const auto by_rows = padded.gather(2, rows.view({n, 1, side, 1}).expand({n, c, side, side + 2}));
  return by_rows.gather(3, columns.view({n, 1, 1, side}).expand({n, c, side, side}));
}

at::Tensor cut_out(const at::Tensor& images, Draws& draws) {
  const std::int64_t side = images.size(-1), hole = side / 2;
  const auto inside = [&] {
    const auto offset = positions(images) - (draws.below(images, side) - hole / 2);
    return offset.ge(0).logical_and_(offset.lt(hole));  // [N, side]
  };
  const auto rows = inside(), columns = inside();
  const auto holes = rows.unsqueeze(2).logical_and(columns.unsqueeze(1)).unsqueeze(1);
  return images.masked_fill(holes, 0);
}

}  // namespace

at::Tensor augment(at::Tensor images, const std::vector<Augmentation>& kinds, RandomStream random, const Part& part) {
  Draws draws{random, part};
  const auto asked = [&](Augmentation kind) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); };
  if (asked(Augmentation::color)) images = change_color(images, draws);
  if (asked(Augmentation::translation)) images = translate(images, draws);
  if (asked(Augmentation::cutout)) images = cut_out(images, draws);
  return images;
}

at::Tensor augment(const at::Tensor& images, const std::vector<Augmentation>& kinds, RandomStream random) {
  return augment(images, kinds, random, Part::whole(images.size(0)));
}

}  // namespace slopegan
