#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "layers/slope_schedule.h"

namespace slopegan {

/// What all activations share: they keep the shape and dtype of their input (any shape; channels are dimension 1).
class ActivationImpl : public torch::nn::Module {
 public:
  virtual at::Tensor forward(const at::Tensor& input) = 0;

  /// Moves the clock to `images` images seen: a schedule takes its slope of that moment, a random slope its draws.
  virtual void set_images(std::int64_t images);

  /// The slope of negative inputs that is in force; the mean where there are several.
  virtual double negative_slope() const = 0;

  /// The slope where the activation is leaky_relu with it and nothing else, so that a layer may do it on the way.
  virtual std::optional<double> leaky_relu_slope() const { return std::nullopt; }

  /// For people: "slope 0.2", "learned slope 0.25 a channel".
  virtual std::string description() const = 0;
};

struct LeakyReLUOptions {
  std::variant<double, SlopeSchedule> negative_slope = 0.01;
  /// Overwrites the input, whose producer must not need its output (convolution and batch norm do not).
  bool inplace = false;
};

/// leaky_relu with a fixed or scheduled slope. Throws c10::Error (ValueError) for a slope that is not finite, and for a
/// slope below 0 in place.
class LeakyReLUImpl : public ActivationImpl {
 public:
  explicit LeakyReLUImpl(LeakyReLUOptions options = {});
  at::Tensor forward(const at::Tensor& input) override;
  void set_images(std::int64_t images) override;
  double negative_slope() const override { return slope_; }
  std::optional<double> leaky_relu_slope() const override { return slope_; }
  std::string description() const override;

 private:
  LeakyReLUOptions options_;
  double slope_;
};
TORCH_MODULE(LeakyReLU);

struct PReLUOptions {
  /// 1 for a slope that all channels share, else the number of channels.
  std::int64_t slopes = 1;
  double initial = 0.25;
  /// Learns s with slope = sigmoid(s), so that it stays in (0, 1).
  bool bounded = false;
};

/// prelu (He et al. 2015). Parameter `slope` (or `slope_logit` where bounded), float32, of `slopes` elements; it takes
/// no weight decay. Throws c10::Error (ValueError) where the initial slope is not finite, or bounded and not in (0, 1).
class PReLUImpl : public ActivationImpl {
 public:
  explicit PReLUImpl(PReLUOptions options = {});
  at::Tensor forward(const at::Tensor& input) override;
  double negative_slope() const override;
  std::string description() const override;

  /// What the inputs are multiplied with, [slopes], differentiable.
  at::Tensor slope() const;

 private:
  PReLUOptions options_;
  at::Tensor parameter_;
};
TORCH_MODULE(PReLU);

/// Two definitions go by the name of RReLU: PyTorch draws the slope from U(1/8, 1/3) and tests with its mean 11/48; Xu
/// et al. 2015 draw the divisor from U(3, 8) and test with 2/(3 + 8) = 2/11.
enum class RReLUDefinition { slope, divisor };

struct RReLUOptions {
  RReLUDefinition definition = RReLUDefinition::slope;
  /// The key of the draws, with the layer's name: the same key and images seen give the same draws.
  std::uint64_t seed = 0;
  std::string stream = "rrelu";
};

/// A slope drawn for each element in training, one fixed slope in evaluation. The draw of the forward pass is the one
/// of its backward pass. Draws are keyed by (seed, stream, images seen, calls since set_images).
class RReLUImpl : public ActivationImpl {
 public:
  explicit RReLUImpl(RReLUOptions options = {});
  at::Tensor forward(const at::Tensor& input) override;
  void set_images(std::int64_t images) override;
  double negative_slope() const override;
  std::string description() const override;

 private:
  RReLUOptions options_;
  std::int64_t images_ = 0;
  std::int64_t calls_ = 0;
};
TORCH_MODULE(RReLU);

}  // namespace slopegan
