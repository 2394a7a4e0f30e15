#include "training/gradient_buckets.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace slopegan {

/// Small enough that the first one is on its way early, large enough that there are few.
static constexpr std::int64_t bucket_bytes = 4 << 20;

struct GradientBuckets::Hook : torch::autograd::PostAccumulateGradHook {
  Hook(GradientBuckets& owner, std::size_t index) : buckets(owner), member(index) {}
  void operator()(const at::Tensor& /*parameter*/) override { buckets.take(member); }
  GradientBuckets& buckets;
  std::size_t member;
};

GradientBuckets::GradientBuckets(const Adam& optimizer, Ranks& ranks) : ranks_(ranks) {
  std::vector<std::int64_t> sizes;
  std::int64_t bytes = 0;
  for (auto slot = optimizer.slots().rbegin(); slot != optimizer.slots().rend(); ++slot) {
    if (sizes.empty() || bytes >= bucket_bytes) {
      sizes.push_back(0);
      bytes = 0;
    }
    members_.push_back({slot->parameter, {}, sizes.size() - 1, false});
    sizes.back() += slot->parameter.numel();
    bytes += static_cast<std::int64_t>(slot->parameter.nbytes());
  }
  for (const auto size : sizes) {
    buckets_.push_back({at::zeros({size}, members_.front().parameter.options().requires_grad(false)), 0, {}});
  }
  std::vector<std::int64_t> used(buckets_.size());
  for (std::size_t i = 0; i < members_.size(); ++i) {
    auto& member = members_[i];
    auto& offset = used[member.bucket];
    member.place =
        buckets_[member.bucket].flat.as_strided(member.parameter.sizes(), member.parameter.strides(), offset);
    offset += member.parameter.numel();
    torch::autograd::impl::set_post_acc_grad_hooks(member.parameter, std::make_unique<Hook>(*this, i));
  }
}

GradientBuckets::~GradientBuckets() {
  for (const auto& member : members_) torch::autograd::impl::set_post_acc_grad_hooks(member.parameter, nullptr);
}

void GradientBuckets::backward(const at::Tensor& loss) {
  reset();
  loss.backward();
  // A parameter that the loss does not depend on is so on all ranks.
  for (auto& member : members_) {
    if (!member.ready) member.place.zero_();
  }
  for (auto& bucket : buckets_) bucket.missing = 0;
  send_full();
  for (auto& bucket : buckets_) bucket.sum->wait();
  for (auto& member : members_) {
    if (member.ready) member.parameter.mutable_grad() = member.place;
  }
}

void GradientBuckets::reset() {
  sent_ = 0;
  for (auto& bucket : buckets_) {
    bucket.missing = 0;
    bucket.sum.reset();
  }
  for (auto& member : members_) {
    member.ready = false;
    ++buckets_[member.bucket].missing;
  }
}

void GradientBuckets::take(std::size_t index) {
  const at::NoGradGuard no_gradients;
  auto& member = members_[index];
  member.place.copy_(member.parameter.grad());
  member.ready = true;
  --buckets_[member.bucket].missing;
  send_full();
}

void GradientBuckets::send_full() {
  for (; sent_ < buckets_.size() && buckets_[sent_].missing == 0; ++sent_) {
    buckets_[sent_].sum = ranks_.start_sum(buckets_[sent_].flat);
  }
}

}  // namespace slopegan
