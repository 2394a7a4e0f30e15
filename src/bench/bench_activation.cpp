#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/modules/batchnorm.h>

#include "bench/bench.h"
#include "layers/leaky_relu.h"

namespace slopegan {

namespace {

using Function = std::function<at::Tensor(const at::Tensor&)>;

struct Activation {
  std::string name;
  Function out_of_place;
  /// Applies the activation twice. If the slope is positive, the second call uses its reciprocal, which restores the
  /// values, so that they do not vanish after many calls.
  std::function<void(at::Tensor&)> twice_in_place;
};

std::vector<Activation> activations(double slope) {
  const double back = slope > 0 ? 1 / slope : 0;
  return {{"our Leaky ReLU", [=](const at::Tensor& x) { return slopegan::leaky_relu(x, slope); },
           [=](at::Tensor& x) {
             slopegan::leaky_relu_(x, slope);
             slopegan::leaky_relu_(x, back);
           }},
          {"LibTorch's Leaky ReLU", [=](const at::Tensor& x) { return at::leaky_relu(x, slope); },
           [=](at::Tensor& x) {
             at::leaky_relu_(x, slope);
             at::leaky_relu_(x, back);
           }},
          {"LibTorch's ReLU", [](const at::Tensor& x) { return at::relu(x); },
           [](at::Tensor& x) {
             at::relu_(x);
             at::relu_(x);
           }}};
}

std::function<void()> without_gradients(const Compute& compute, std::function<void()> run) {
  return [compute, run] {
    const at::NoGradGuard no_gradients;
    apply_compute(compute);
    run();
  };
}

void add_memory_cases(std::vector<BenchCase>& cases, const Compute& compute, double slope, std::int64_t bytes,
                      const std::string& place) {
  const auto values = at::randn({bytes / static_cast<std::int64_t>(c10::elementSize(compute.type))})
                          .to(at::TensorOptions(compute.type).device(compute.device));
  const auto other = at::randn_like(values), target = at::empty_like(values);
  const double size = static_cast<double>(bytes);
  const auto add = [&](const std::string& name, double passes, std::function<void()> run, bool is_reference = false) {
    cases.push_back({.name = name + ", " + place,
                     .run = std::move(run),
                     .bytes = passes * size,
                     .group = place,
                     .is_reference = is_reference});
  };
  add("copy", 2, without_gradients(compute, [=] { target.copy_(values); }), true);
  // The activations that are not in place also allocate their outputs.
  add("copy to a new tensor", 2, without_gradients(compute, [=] { values.clone(); }), true);
  add("add", 3,
      without_gradients(compute,
                        [=] {
                          auto sum = target;
                          at::add_out(sum, values, other);
                        }),
      true);
  for (const auto& activation : activations(slope)) {
    add(activation.name, 2, without_gradients(compute, [=] { activation.out_of_place(values); }));
    const auto changed = values.clone();
    add(activation.name + ", in place, twice", 4, without_gradients(compute, [=] {
          auto x = changed;
          activation.twice_in_place(x);
        }));
    const auto input = values.clone().requires_grad_(true);
    const auto output = activation.out_of_place(input);
    add(activation.name + ", backward", 3, [=] {
      apply_compute(compute);
      torch::autograd::grad({output}, {input}, {other}, /*retain_graph=*/true);
    });
  }
}

/// A typical layer of an object detector, forward and backward: 3x3 convolution, batch norm, activation.
void add_block_cases(std::vector<BenchCase>& cases, const Compute& compute, double slope) {
  constexpr std::int64_t batch = 8, channels = 64, side = 56;
  const auto options = at::TensorOptions(compute.type).device(compute.device);
  const auto input =
      at::randn({batch, channels, side, side}, options).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  const auto weight = (at::randn({channels, channels, 3, 3}, options) * 0.05)
                          .contiguous(at::MemoryFormat::ChannelsLast)
                          .requires_grad_(true);
  const auto direction = at::randn({batch, channels, side, side}, options).contiguous(at::MemoryFormat::ChannelsLast);
  torch::nn::BatchNorm2d norm(channels);
  norm->to(compute.device);
  auto all = activations(slope);
  all.insert(all.begin(), {"no activation", [](const at::Tensor& x) { return x; }, {}});
  for (const auto& activation : all) {
    cases.push_back({.name = "block with " + activation.name,
                     .run =
                         [=]() mutable {
                           apply_compute(compute);
                           const auto output = activation.out_of_place(norm(at::conv2d(input, weight, {}, 1, 1)));
                           torch::autograd::grad({output}, {input, weight}, {direction});
                         },
                     .images = static_cast<double>(batch)});
  }
}

}  // namespace

BenchResult bench_activation(const Compute& compute, double slope, const RoundOptions& options) {
  std::vector<BenchCase> cases;
  add_memory_cases(cases, compute, slope, 1 << 20, "in cache");
  // configure_allocator() makes the allocator reuse blocks of up to 32 MiB. With larger tensors, the benchmark would
  // mainly measure how long the system takes to clear new pages.
  add_memory_cases(cases, compute, slope, 31 << 20, "out of cache");
  add_block_cases(cases, compute, slope);
  return run_bench("activation", cases, options);
}

}  // namespace slopegan
