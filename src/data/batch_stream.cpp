#include "data/batch_stream.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "data/transform.h"
#include "support/random.h"

namespace slopegan {

namespace {

constexpr int slots = 3;  // one in use by the consumer, two prepared ahead

void check(bool condition, const char* message) {
  if (!condition) throw std::invalid_argument(message);
}

void check_options(const BatchStreamOptions& options) {
  check(options.dataset != nullptr && options.dataset->size() > 0, "BatchStream: the dataset must not be empty");
  check(options.dataset->size() <= std::numeric_limits<std::uint32_t>::max(), "BatchStream: too many images");
  check(options.dataset->images.is_contiguous(), "BatchStream: the dataset's images must be contiguous");
  check(options.world_size >= 1 && options.rank >= 0 && options.rank < options.world_size,
        "BatchStream: rank must be in [0, world_size)");
  check(options.batch_size >= 1, "BatchStream: batch_size must be at least 1");
  check(options.images_seen >= 0, "BatchStream: images_seen must not be negative");
}

}  // namespace

/// Fills the slots one after another on the worker thread.
class BatchStream::Producer {
 public:
  explicit Producer(const BatchStreamOptions& options)
      : options_(options),
        position_(options.images_seen),
        transform_(options.dataset->channels(), options.dataset->height(), options.dataset->width(), options.resolution,
                   options.dataset->fit) {}

  bool operator()(Slot& slot) {
    const std::int64_t left = options_.total_images - position_;
    if (left <= 0) return false;
    const auto part = Part::of_rank(options_.rank, options_.world_size, std::min(left, options_.batch_size));
    slot.batch = {view(slot.memory, part.count), position_, part};
    float* target = slot.memory.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < part.count; ++i, target += transform_.output_size()) {
      write_image(position_ + part.first + i, target);
    }
    position_ += part.total;
    return true;
  }

 private:
  /// Returns a tensor that shares the slot's memory and holds a reference to it. The use count of `memory` therefore
  /// shows whether the tensor is still in use.
  torch::Tensor view(const torch::Tensor& memory, std::int64_t images) const {
    const std::int64_t c = options_.dataset->channels(), r = options_.resolution;
    return torch::from_blob(
        memory.mutable_data_ptr(), {images, c, r, r}, {c * r * r, 1, c * r, c}, [memory](void*) {}, torch::kFloat32);
  }

  void write_image(std::int64_t position, float* target) {
    const auto size = static_cast<std::size_t>(transform_.input_size());
    const std::uint8_t* stored = options_.dataset->images.const_data_ptr<std::uint8_t>() + index_at(position) * size;
    transform_({stored, size}, options_.flip && is_flipped(options_.seed, position),
               {target, static_cast<std::size_t>(transform_.output_size())});
  }

  std::size_t index_at(std::int64_t position) {
    const std::int64_t images = options_.dataset->size();
    if (position / images != epoch_) {
      epoch_ = position / images;
      order_ = keyed_permutation(options_.seed, "data.order", static_cast<std::uint64_t>(epoch_),
                                 static_cast<std::uint32_t>(images));
    }
    return order_[static_cast<std::size_t>(position % images)];
  }

  BatchStreamOptions options_;
  std::int64_t position_;
  ImageTransform transform_;
  std::int64_t epoch_ = -1;
  std::vector<std::uint32_t> order_;  // the permutation for epoch_
};

BatchStream::BatchStream(const BatchStreamOptions& options) : options_(options) {
  check_options(options);
  const auto producer = std::make_shared<Producer>(options);
  std::vector<Slot> ring;
  for (int i = 0; i < slots; ++i) ring.push_back(new_slot());
  prefetcher_ =
      std::make_unique<Prefetcher<Slot>>(std::move(ring), [producer](Slot& slot) { return (*producer)(slot); });
}

BatchStream::Slot BatchStream::new_slot() const {
  const std::int64_t values = options_.dataset->channels() * options_.resolution * options_.resolution;
  const std::int64_t max_images = (options_.batch_size + options_.world_size - 1) / options_.world_size;
  const auto options = torch::TensorOptions(torch::kFloat32).pinned_memory(options_.pinned);
  return {.memory = torch::empty({max_images * values}, options), .batch = {}};
}

Batch BatchStream::next() {
  if (lent_.memory.defined()) {
    const bool unused = lent_.memory.use_count() == 1;
    prefetcher_->recycle(unused ? std::exchange(lent_, {}) : new_slot());
  }
  lent_ = prefetcher_->next();
  return std::exchange(lent_.batch, {});
}

}  // namespace slopegan
