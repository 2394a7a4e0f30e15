#include "layers/activation.h"

#include <cmath>
#include <cstdio>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "layers/leaky_relu.h"
#include "support/random.h"

namespace slopegan {

static std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

at::Tensor activate(const FrozenActivation& activation, const at::Tensor& input) {
  struct Apply {
    at::Tensor operator()(const FixedSlope& fixed) const { return slopegan::leaky_relu(input, fixed.negative_slope); }
    at::Tensor operator()(const ChannelSlopes& channels) const { return slopegan::prelu(input, channels.slopes); }
    const at::Tensor& input;
  };
  return std::visit(Apply{input}, activation);
}

void ActivationImpl::set_images(std::int64_t /*images*/) {}

// --- LeakyReLU

static double slope_at(const LeakyReLUOptions& options, std::int64_t images) {
  const auto* schedule = std::get_if<SlopeSchedule>(&options.negative_slope);
  return schedule != nullptr ? schedule->at(images) : std::get<double>(options.negative_slope);
}

LeakyReLUImpl::LeakyReLUImpl(LeakyReLUOptions options) : options_(options), slope_(slope_at(options, 0)) {
  TORCH_CHECK_VALUE(std::isfinite(slope_), "LeakyReLU needs a finite negative slope, got ", slope_);
  TORCH_CHECK_VALUE(!options_.inplace || slope_ >= 0, "LeakyReLU in place needs a negative slope of 0 or more, got ",
                    slope_);
}

at::Tensor LeakyReLUImpl::forward(const at::Tensor& input) {
  if (!options_.inplace) return slopegan::leaky_relu(input, slope_);
  auto output = input;
  return slopegan::leaky_relu_(output, slope_);
}

void LeakyReLUImpl::set_images(std::int64_t images) { slope_ = slope_at(options_, images); }

std::optional<double> LeakyReLUImpl::moving_slope() const {
  return is_scheduled() ? std::optional(slope_) : std::nullopt;
}

std::string LeakyReLUImpl::description() const {
  const auto* schedule = std::get_if<SlopeSchedule>(&options_.negative_slope);
  if (schedule == nullptr) return "slope " + number(slope_);
  return "slope " + number(schedule->from) + " to " + number(schedule->to) + " over " +
         std::to_string(schedule->over_images) + " images";
}

// --- PReLU

PReLUImpl::PReLUImpl(PReLUOptions options) : options_(options) {
  const double initial = options.initial;
  TORCH_CHECK_VALUE(options.slopes >= 1, "PReLU needs at least one slope, got ", options.slopes);
  TORCH_CHECK_VALUE(std::isfinite(initial), "PReLU needs a finite initial slope, got ", initial);
  TORCH_CHECK_VALUE(!options.bounded || (initial > 0 && initial < 1),
                    "a bounded PReLU needs an initial slope in (0, 1), got ", initial);
  const double start = options.bounded ? std::log(initial / (1 - initial)) : initial;
  parameter_ = register_parameter(options.bounded ? "slope_logit" : "slope", at::full({options.slopes}, start));
}

at::Tensor PReLUImpl::slope() const { return options_.bounded ? parameter_.sigmoid() : parameter_; }

at::Tensor PReLUImpl::forward(const at::Tensor& input) { return slopegan::prelu(input, slope()); }

double PReLUImpl::negative_slope() const {
  const at::NoGradGuard no_gradients;
  return slope().mean().item<double>();
}

FrozenActivation PReLUImpl::freeze() const {
  const at::NoGradGuard no_gradients;
  return ChannelSlopes{slope().detach().clone()};
}

std::string PReLUImpl::description() const {
  return std::string(options_.bounded ? "learned bounded slope " : "learned slope ") + number(negative_slope()) +
         (options_.slopes > 1 ? ", one per channel" : ", shared");
}

// --- RReLU

RReLUImpl::RReLUImpl(RReLUOptions options) : options_(std::move(options)) {}

void RReLUImpl::set_images(std::int64_t images) {
  images_ = images;
  calls_ = 0;
}

at::Tensor RReLUImpl::forward(const at::Tensor& input) {
  if (!is_training()) return slopegan::leaky_relu(input, negative_slope());
  auto slopes = at::empty(input.sizes(), at::TensorOptions(at::kFloat));
  RandomStream stream(options_.seed, options_.stream + "/" + std::to_string(calls_++),
                      static_cast<std::uint64_t>(images_));
  const std::span<float> values(slopes.mutable_data_ptr<float>(), static_cast<std::size_t>(slopes.numel()));
  if (options_.definition == RReLUDefinition::slope) {
    stream.fill_uniform(values, 1.0f / 8, 1.0f / 3);
  } else {
    stream.fill_uniform(values, 3, 8);
    slopes.reciprocal_();
  }
  // The factor of each element is a constant, so autograd can differentiate the product any number of times.
  const auto factor = at::where(input.detach() > 0, 1.0, slopes.to(input.device(), input.scalar_type()));
  return input * factor.to(input.scalar_type());
}

double RReLUImpl::negative_slope() const {
  return options_.definition == RReLUDefinition::slope ? 11.0 / 48 : 2.0 / 11;
}

std::string RReLUImpl::description() const {
  return options_.definition == RReLUDefinition::slope ? "random slope in U(1/8, 1/3), evaluated at 11/48"
                                                       : "random slope 1/U(3, 8), evaluated at 2/11";
}

}  // namespace slopegan
