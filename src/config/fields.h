#pragma once

#include <limits>
#include <string_view>

#include "config/config.h"
#include "config/rules.h"

/// The one list of the configuration's keys. Reading, checking, printing, help and comparing visit it; a key, its rule
/// and its meaning stand nowhere else. Defaults are the initialisers in config.h.
namespace slopegan {

namespace rules {
inline constexpr std::int64_t max_images = 1'000'000'000'000;
inline constexpr Integers seed{0, std::numeric_limits<std::int64_t>::max()};
inline constexpr Integers images{1, max_images};
inline constexpr Integers every_images{0, max_images, "never"};
inline constexpr Integers width{1, 1024};
inline constexpr Reals slope{-2, 2};
inline constexpr Slopes slopes{slope, images};
inline constexpr Reals penalty{0, 1e6};
inline constexpr Reals learning_rate{0, 1, true};
inline constexpr Reals beta{0, 1, false, true};
inline constexpr Integers grid{1, 1024};
}  // namespace rules

/// Calls visit(key, field, rule, help) for every key in the order of the printed configuration. `field` is a reference
/// into `config`, const where that is const; `rule` is one of rules.h, by whose type visitors choose.
template <class ConfigType, class Visitor>
void visit_fields(ConfigType& config, Visitor&& visit) {
  constexpr std::string_view slope_help =
      "slope of the activations for negative inputs: 0 is ReLU, 1 is linear, GANs mostly use 0.2";
  constexpr std::string_view prelu_help =
      "activation prelu: a slope for the layer or for each channel, bounded to (0, 1)";
  constexpr std::string_view rrelu_help =
      "activation rrelu: draw the slope from U(1/8, 1/3) or its inverse from U(3, 8)";
  constexpr std::string_view width_help =
      "channels at the highest resolution; doubles with each halving. Cost grows ~ width^2";
  constexpr std::string_view activation_help = "activation of the hidden layers";

  visit("seed", config.seed, rules::seed, "what all random numbers of the run derive from");

  visit("run.name", config.run.name, TextRule::run_name, "name of the run's directory");
  visit("run.output_dir", config.run.output_dir, TextRule::path, "where run directories are created");

  visit("data.kind", config.data.kind, Words<DatasetKind>{},
        "format of the data: IDX (MNIST), CIFAR's binary files, a folder of PNG, JPEG and WebP images, MedMNIST's npz");
  visit("data.path", config.data.path, TextRule::path, "directory or file of the data set; ~/ is the home directory");
  visit("data.resolution", config.data.resolution, OneOf{{32, 64, 128}}, "side in pixels that images are brought to");
  visit("data.channels", config.data.channels, OneOf{{0, 1, 3}},
        "1 makes images gray, 3 RGB; 0 takes them as they are, and a folder's as RGB");
  visit("data.flip", config.data.flip, Flag{}, "mirror every second image at random");
  visit("data.transpose", config.data.transpose, Flag{}, "kind idx: exchange rows and columns, for EMNIST");
  visit("data.max_unreadable", config.data.max_unreadable, Reals{0, 1},
        "kind image_folder: share of the files that may be damaged and are left out");

  auto& g = config.generator;
  visit("generator.latent_dim", g.latent_dim, Integers{1, 4096}, "dimension of the latent vector");
  visit("generator.width", g.width, rules::width, width_help);
  visit("generator.activation", g.activation, Words<ActivationKind>{}, activation_help);
  visit("generator.negative_slope", g.negative_slope, rules::slopes, slope_help);
  visit("generator.prelu", g.prelu, Words<PReluKind>{}, prelu_help);
  visit("generator.rrelu", g.rrelu, Words<RReluKind>{}, rrelu_help);
  visit("generator.norm", g.norm, Words<GeneratorNorm>{}, "normalisation before the activations");

  auto& d = config.discriminator;
  visit("discriminator.width", d.width, rules::width, width_help);
  visit("discriminator.activation", d.activation, Words<ActivationKind>{}, activation_help);
  visit("discriminator.negative_slope", d.negative_slope, rules::slopes, slope_help);
  visit("discriminator.prelu", d.prelu, Words<PReluKind>{}, prelu_help);
  visit("discriminator.rrelu", d.rrelu, Words<RReluKind>{}, rrelu_help);
  visit("discriminator.norm", d.norm, Words<DiscriminatorNorm>{},
        "normalisation: batch norm, spectral norm of the weights");
  visit("discriminator.augment", d.augment, ListOf<Words<Augmentation>>{{}, 3},
        "differentiable augmentation of what the discriminator sees, for small data sets");

  visit("init.mode", config.init.mode, Words<InitMode>{},
        "initial weights: N(0, std^2), or He's variance 2 / (1 + slope^2) / fan_in");
  visit("init.std", config.init.std, Reals{0, 10, true}, "standard deviation of init.mode normal");

  visit("loss.kind", config.loss.kind, Words<LossKind>{},
        "adversarial loss; relativistic pairs each real image with a generated one");
  visit("loss.real_label", config.loss.real_label, Reals{0, 1.2, true},
        "target for real images of bce and lsgan; 0.9 smooths one-sidedly");
  visit("loss.label_noise", config.loss.label_noise, Reals{0, 0.5},
        "the target of each real image of bce and lsgan is off by up to this, at random");
  visit("loss.r1", config.loss.r1, rules::penalty, "weight gamma of R1, gamma/2 |dD/dx|^2 at real images");
  visit("loss.r2", config.loss.r2, rules::penalty, "weight gamma of R2, the same at generated images");
  visit("loss.r1_every", config.loss.r1_every, Integers{1, 1000},
        "discriminator steps from one R1 and R2 to the next, weighted in proportion (lazy regularisation)");
  visit("loss.gradient_penalty", config.loss.gradient_penalty, rules::penalty,
        "weight of (|dD/dx| - 1)^2 between real and generated images; 10 for wasserstein");

  auto& optimizer = config.optimizer;
  visit("optimizer.generator_lr", optimizer.generator_lr, rules::learning_rate, "Adam's learning rate, generator");
  visit("optimizer.discriminator_lr", optimizer.discriminator_lr, rules::learning_rate,
        "Adam's learning rate, discriminator");
  visit("optimizer.beta1", optimizer.beta1, rules::beta, "Adam's decay of the first moment");
  visit("optimizer.beta2", optimizer.beta2, rules::beta, "Adam's decay of the second moment");
  visit("optimizer.discriminator_steps", optimizer.discriminator_steps, Integers{1, 100},
        "discriminator updates for each of the generator");
  visit("optimizer.lr_warmup_images", optimizer.lr_warmup_images, Integers{0, rules::max_images, "no warm-up"},
        "images over which the learning rates rise linearly from 0");
  visit("optimizer.lr_decay", optimizer.lr_decay, Words<LearningRateDecay>{}, "fall of the learning rates to 0");
  visit("optimizer.lr_decay_images", optimizer.lr_decay_images, Integers{0, rules::max_images, "total_images"},
        "images after which the fall has ended");

  visit("ema.half_life_images", config.ema.half_life_images, Integers{0, rules::max_images, "no average"},
        "half-life of the generator's weight average that samples are drawn with");

  auto& training = config.training;
  visit("training.total_images", training.total_images, rules::images, "real images to show before the run is over");
  visit("training.batch_size", training.batch_size, Integers{1, 65536},
        "images in a step; where several ranks train together, of all of them together");
  visit("training.precision", training.precision, Words<Precision>{},
        "number type of the heavy layers; auto takes bfloat16 where the machine is fast at it");
  visit("training.device", training.device, Words<Device>{}, "auto takes a CUDA device where there is one");
  visit("training.threads", training.threads, Integers{0, 1024, "as many as cores"}, "threads of the CPU's kernels");
  visit("training.sync_batch_norm", training.sync_batch_norm, Flag{},
        "where several ranks train together: batch norm takes the statistics of all their images, not of a rank's own");

  visit("samples.every_images", config.samples.every_images, rules::every_images, "images between two sample grids");
  visit("samples.rows", config.samples.rows, rules::grid, "rows of the grid; rows * columns at most 1024");
  visit("samples.columns", config.samples.columns, rules::grid, "columns of the grid");

  visit("checkpoint.every_images", config.checkpoint.every_images, rules::every_images,
        "images between two checkpoints");
  visit("checkpoint.keep", config.checkpoint.keep, Integers{2, 1'000'000},
        "how many of the latest checkpoints are kept");
  visit("checkpoint.keep_best", config.checkpoint.keep_best, Flag{},
        "keep the checkpoint of the lowest Frechet distance as well");

  auto& metrics = config.metrics;
  visit("metrics.every_images", metrics.every_images, rules::every_images,
        "images between two evaluations; the last image is always evaluated unless this is 0");
  visit("metrics.samples", metrics.samples, Integers{100, 100'000}, "generated images that an evaluation looks at");
  visit("metrics.extractor", metrics.extractor, TextRule::path,
        "auto (a classifier trained on the labels, or random features without), or a TorchScript file, which is code "
        "that will be run");
  visit("metrics.names", metrics.names, ListOf<Words<MetricName>>{{}, 6}, "what an evaluation computes");

  auto& diagnostics = config.diagnostics;
  visit("diagnostics.every_images", diagnostics.every_images, rules::every_images,
        "images between two looks at the layers");
  visit("diagnostics.probes", diagnostics.probes, Integers{100, 1'000'000},
        "pre-activations of a unit that a look counts at least");

  visit("events.tensorboard", config.events.tensorboard, Flag{},
        "write event files for TensorBoard as well: scalars, sample grids, histograms of pre-activations");

  auto& sweep = config.sweep;
  visit("sweep.negative_slope", sweep.negative_slope, ListOf<Reals>{rules::slope, 1000},
        "slopes that a sweep compares");
  visit("sweep.apply_to", sweep.apply_to, Words<SweepTarget>{}, "networks that a sweep gives its slopes");
  visit("sweep.control", sweep.control, rules::slope, "slope that the statistics compare the others with");
  visit("sweep.seeds", sweep.seeds, ListOf<Integers>{rules::seed, 1000}, "seeds that each slope is trained with");
  visit("sweep.jobs", sweep.jobs, Integers{0, 1024, "chosen from the cores"}, "runs of a sweep side by side");
}

}  // namespace slopegan
