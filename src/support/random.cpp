#include "support/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace slopegan {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// The finaliser of SplitMix64 (Steele et al. 2014): flipping an input bit flips each output bit with a probability of
/// about 1/2.
static std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

static std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3;
  return hash;
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t index) {
  const std::uint64_t key = mix(mix(seed + 0x9E3779B97F4A7C15) ^ fnv1a(name));
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  counter_ = {0, 0, static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32)};
}

std::uint32_t RandomStream::next() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[used_++];
}

std::uint32_t RandomStream::below(std::uint32_t bound) {
  std::uint64_t product = std::uint64_t{next()} * bound;
  const std::uint32_t threshold = (0u - bound) % bound;
  while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{next()} * bound;
  return static_cast<std::uint32_t>(product >> 32);
}

float RandomStream::uniform() { return static_cast<float>(next() >> 8) * 0x1p-24f; }

void RandomStream::fill_normal(std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const float radius = std::sqrt(-2.0f * std::log(1.0f - uniform()));  // 1 − u lies in (0, 1]
    const float angle = 2.0f * std::numbers::pi_v<float> * uniform();
    values[i] = radius * std::cos(angle);
    if (i + 1 < values.size()) values[i + 1] = radius * std::sin(angle);
  }
}

void RandomStream::fill_uniform(std::span<float> values, float low, float high) {
  for (auto& value : values) value = low + (high - low) * uniform();
}

std::vector<std::uint32_t> keyed_permutation(std::uint64_t seed, std::string_view name, std::uint64_t index,
                                             std::uint32_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  RandomStream stream(seed, name, index);
  for (std::uint32_t left = count; left > 1; --left) std::swap(order[left - 1], order[stream.below(left)]);
  return order;
}

std::vector<std::int64_t> sorted_sample(std::uint64_t seed, std::string_view name, std::int64_t size,
                                        std::int64_t count) {
  std::vector<std::int64_t> sample(static_cast<std::size_t>(std::min(size, count)));
  if (count >= size) {
    std::iota(sample.begin(), sample.end(), 0);
    return sample;
  }
  const auto order = keyed_permutation(seed, name, 0, static_cast<std::uint32_t>(size));
  std::copy_n(order.begin(), sample.size(), sample.begin());
  std::sort(sample.begin(), sample.end());
  return sample;
}

}  // namespace slopegan
