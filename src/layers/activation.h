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

// --- The function of an activation in evaluation mode ---------------------------------------------------------------

/// leaky_relu with one slope; 0 is ReLU, 1 is the identity.
struct FixedSlope {
  double negative_slope = 0;
};

/// prelu with slopes of shape [1] or [C], without gradients.
struct ChannelSlopes {
  at::Tensor slopes;
};

/// The function that an activation computes in evaluation mode, independent of the module. Inference evaluates this
/// function, and exporters write it to files. An activation with a different function adds its own alternative, which
/// every visitor then has to handle.
using FrozenActivation = std::variant<FixedSlope, ChannelSlopes>;

/// Applies the function to `input` (any shape, channels in dimension 1).
at::Tensor activate(const FrozenActivation& activation, const at::Tensor& input);

// --- Modules --------------------------------------------------------------------------------------------------------

/// The interface of all activations: everything that the rest of the program needs to know about an activation. The
/// output has the shape and dtype of the input (any shape, channels in dimension 1).
class ActivationImpl : public torch::nn::Module {
 public:
  virtual at::Tensor forward(const at::Tensor& input) = 0;

  /// Sets the number of images seen, which determines the slope of a schedule and the draws of a random slope.
  virtual void set_images(std::int64_t images);

  /// The current slope for negative inputs; the mean if there are several slopes. init.mode = slope_matched derives the
  /// scale of the next layer's weights from it; an activation without a slope returns that of the leaky ReLU it
  /// resembles most.
  virtual double negative_slope() const = 0;

  /// The slope if the activation is exactly leaky_relu with this slope in training and evaluation mode, so that the
  /// preceding layer can apply it in its own pass over memory; std::nullopt otherwise.
  virtual std::optional<double> leaky_relu_slope() const = 0;

  /// Whether every training step runs the same operations with the same constants, as a CUDA graph requires. False for
  /// scheduled slopes and for random draws on the host.
  virtual bool is_repeatable() const = 0;

  /// negative_slope() if it changes during training (scheduled or learned), for the history; std::nullopt otherwise.
  virtual std::optional<double> moving_slope() const = 0;

  /// The function in evaluation mode with the current slopes.
  virtual FrozenActivation freeze() const = 0;

  /// A description for logs and tables: "slope 0.2", "learned slope 0.25, shared".
  virtual std::string description() const = 0;
};

struct LeakyReLUOptions {
  std::variant<double, SlopeSchedule> negative_slope = 0.01;
  /// Overwrites the input. The layer that produced the input must not need its output in the backward pass (convolution
  /// and batch norm do not).
  bool inplace = false;
};

/// leaky_relu with a fixed or scheduled slope. Throws c10::Error (ValueError) if the initial slope is not finite, or if
/// it is negative and `inplace` is set.
class LeakyReLUImpl : public ActivationImpl {
 public:
  explicit LeakyReLUImpl(LeakyReLUOptions options = {});
  at::Tensor forward(const at::Tensor& input) override;
  void set_images(std::int64_t images) override;
  double negative_slope() const override { return slope_; }
  std::optional<double> leaky_relu_slope() const override { return slope_; }
  bool is_repeatable() const override { return !is_scheduled(); }
  std::optional<double> moving_slope() const override;
  FrozenActivation freeze() const override { return FixedSlope{slope_}; }
  std::string description() const override;

 private:
  bool is_scheduled() const { return std::holds_alternative<SlopeSchedule>(options_.negative_slope); }

  LeakyReLUOptions options_;
  double slope_;
};
TORCH_MODULE(LeakyReLU);

struct PReLUOptions {
  /// 1 if all channels share one slope, otherwise the number of channels.
  std::int64_t slopes = 1;
  double initial = 0.25;
  /// Learns s, where slope = sigmoid(s), which keeps the slope in (0, 1).
  bool bounded = false;
};

/// prelu (He et al. 2015). The parameter `slope` (`slope_logit` if bounded) is float32 and has `slopes` elements; do
/// not apply weight decay to it. Throws c10::Error (ValueError) if `slopes` is below 1, if the initial slope is not
/// finite, or if `bounded` is set and the initial slope is not in (0, 1).
class PReLUImpl : public ActivationImpl {
 public:
  explicit PReLUImpl(PReLUOptions options = {});
  at::Tensor forward(const at::Tensor& input) override;
  double negative_slope() const override;
  std::optional<double> leaky_relu_slope() const override { return std::nullopt; }
  bool is_repeatable() const override { return true; }
  std::optional<double> moving_slope() const override { return negative_slope(); }
  FrozenActivation freeze() const override;
  std::string description() const override;

  /// The slopes, [slopes], after the sigmoid if they are bounded. Differentiable.
  at::Tensor slope() const;

 private:
  PReLUOptions options_;
  at::Tensor parameter_;
};
TORCH_MODULE(PReLU);

struct RReLUOptions {
  RReLUDefinition definition = RReLUDefinition::slope;
  /// Part of the key of the draws, like `stream`; see RReLUImpl.
  std::uint64_t seed = 0;
  std::string stream = "rrelu";
};

/// A slope drawn for each element in training mode, and one fixed slope in evaluation mode. The backward pass uses the
/// draws of its forward pass. Draws are keyed by (seed, stream, images seen, calls since set_images).
class RReLUImpl : public ActivationImpl {
 public:
  explicit RReLUImpl(RReLUOptions options = {});
  at::Tensor forward(const at::Tensor& input) override;
  void set_images(std::int64_t images) override;
  double negative_slope() const override;
  std::optional<double> leaky_relu_slope() const override { return std::nullopt; }
  bool is_repeatable() const override { return false; }
  std::optional<double> moving_slope() const override { return std::nullopt; }
  FrozenActivation freeze() const override { return FixedSlope{negative_slope()}; }
  std::string description() const override;

 private:
  RReLUOptions options_;
  std::int64_t images_ = 0;
  std::int64_t calls_ = 0;
};
TORCH_MODULE(RReLU);

}  // namespace slopegan
