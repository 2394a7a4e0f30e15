#include "distributed/data_parallel.h"

#include <optional>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "support/checksums.h"

namespace slopegan {

NamedTensors broadcast_tensors(const NamedTensors& tensors, Ranks& ranks) {
  const at::NoGradGuard no_gradients;
  auto copies = tensors;
  for (auto& [name, tensor] : copies) {
    tensor = tensor.detach().clone(at::MemoryFormat::Contiguous);
    ranks.broadcast(tensor);
  }
  return copies;
}

// --- Gradient buckets ------------------------------------------------------------------------------------------------

/// The approximate size of a bucket: small enough that the first all-reduce starts early, and large enough that there
/// are few all-reduces.
static constexpr std::int64_t bucket_bytes = 4 << 20;

class GradientBuckets::Hook : public torch::autograd::PostAccumulateGradHook {
 public:
  Hook(GradientBuckets& buckets, std::size_t member) : buckets_(buckets), member_(member) {}
  void operator()(const at::Tensor& /*parameter*/) override { buckets_.add_gradient(member_); }

 private:
  GradientBuckets& buckets_;
  std::size_t member_;
};

struct GradientBuckets::Member {
  at::Tensor parameter;
  at::Tensor gradient;  ///< view into the bucket; has the shape and strides of the parameter
  std::size_t bucket;
  bool ready;
};

struct GradientBuckets::Bucket {
  at::Tensor flat;
  std::size_t missing;  ///< number of gradients that have not been computed yet
  std::optional<Ranks::PendingSum> sum;
};

GradientBuckets::GradientBuckets(const NamedTensors& parameters, Ranks& ranks) : ranks_(ranks) {
  std::vector<std::int64_t> sizes;
  std::int64_t bytes = 0;
  for (auto entry = parameters.rbegin(); entry != parameters.rend(); ++entry) {
    const auto& parameter = entry->second;
    if (sizes.empty() || bytes >= bucket_bytes) {
      sizes.push_back(0);
      bytes = 0;
    }
    members_.push_back({parameter, {}, sizes.size() - 1, false});
    sizes.back() += parameter.numel();
    bytes += static_cast<std::int64_t>(parameter.nbytes());
  }
  for (const auto size : sizes) {
    buckets_.push_back({at::zeros({size}, members_.front().parameter.options().requires_grad(false)), 0, {}});
  }
  std::vector<std::int64_t> used(buckets_.size());
  for (std::size_t i = 0; i < members_.size(); ++i) {
    auto& member = members_[i];
    auto& offset = used[member.bucket];
    member.gradient =
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
  // A parameter that the loss does not depend on has no gradient on any rank.
  for (auto& member : members_) {
    if (!member.ready) member.gradient.zero_();
  }
  for (auto& bucket : buckets_) bucket.missing = 0;
  start_full_buckets();
  for (auto& bucket : buckets_) bucket.sum->wait();
  for (auto& member : members_) {
    if (member.ready) member.parameter.mutable_grad() = member.gradient;
  }
}

void GradientBuckets::reset() {
  started_ = 0;
  for (auto& bucket : buckets_) {
    bucket.missing = 0;
    bucket.sum.reset();
  }
  for (auto& member : members_) {
    member.ready = false;
    ++buckets_[member.bucket].missing;
  }
}

void GradientBuckets::add_gradient(std::size_t index) {
  const at::NoGradGuard no_gradients;
  auto& member = members_[index];
  member.gradient.copy_(member.parameter.grad());
  member.ready = true;
  --buckets_[member.bucket].missing;
  start_full_buckets();
}

void GradientBuckets::start_full_buckets() {
  for (; started_ < buckets_.size() && buckets_[started_].missing == 0; ++started_) {
    buckets_[started_].sum = ranks_.start_all_reduce(buckets_[started_].flat);
  }
}

// --- Data parallelism ------------------------------------------------------------------------------------------------

DataParallel::DataParallel(BlockChainImpl& generator, BlockChainImpl& discriminator, Ranks& ranks, bool sync_batch_norm)
    : generator_(generator),
      discriminator_(discriminator),
      ranks_(ranks),
      generator_gradients_(named_parameters(generator), ranks),
      discriminator_gradients_(named_parameters(discriminator), ranks) {
  if (sync_batch_norm) set_sum_over_ranks([&ranks](at::Tensor& tensor) { ranks.all_reduce(tensor); });
}

DataParallel::~DataParallel() { disable_sync(); }

void DataParallel::disable_sync() { set_sum_over_ranks({}); }

void DataParallel::set_sum_over_ranks(const SumOverRanks& sum) {
  generator_.set_sum_over_ranks(sum);
  discriminator_.set_sum_over_ranks(sum);
}

std::vector<at::Tensor> DataParallel::mean_over_batch(const std::vector<at::Tensor>& means, const Part& part) {
  const at::NoGradGuard no_gradients;
  const auto sums = at::stack(means).to(at::kDouble).mul_(part.share());
  ranks_.all_reduce(sums);
  return sums.unbind();
}

void DataParallel::backward(const at::Tensor& loss, const Part& part, const BlockChainImpl& network) {
  TORCH_CHECK(&network == &generator_ || &network == &discriminator_, "DataParallel: unknown network");
  auto& gradients = &network == &generator_ ? generator_gradients_ : discriminator_gradients_;
  gradients.backward(loss * part.share());
}

bool DataParallel::has_same_weights() const {
  Sha256 hash;
  for (const auto* network : {&generator_, &discriminator_}) {
    for (const auto& [name, parameter] : named_parameters(*network)) {
      const auto values = parameter.detach().to(at::kCPU).contiguous();
      hash.update({static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
    }
  }
  return ranks_.is_same_everywhere(hash.hex());
}

}  // namespace slopegan
