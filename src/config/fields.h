#pragma once

#include <limits>
#include <string_view>

#include "config/config.h"
#include "config/rules.h"

/// The single list of configuration keys with their rules and help texts. All code that reads, checks, prints, compares
/// or documents configurations visits this list. The defaults are the initialisers in config.h.
namespace slopegan {

namespace rules {
inline constexpr std::int64_t max_images = 1'000'000'000'000;
inline constexpr Integers seed{0, std::numeric_limits<std::int64_t>::max()};
inline constexpr Integers images{1, max_images};
inline constexpr Integers every_images{0, max_images, "never"};
inline constexpr Integers every_images_and_last{0, max_images, "only at the end"};
inline constexpr Integers width{1, 1024};
inline constexpr Reals slope{-2, 2};
inline constexpr Slopes slopes{slope, images};
inline constexpr Reals penalty{0, 1e6};
inline constexpr Reals learning_rate{0, 1, true};
inline constexpr Reals beta{0, 1, false, true};
inline constexpr Integers grid{1, 1024};
}  // namespace rules

namespace fields {

template <class ConfigType, class Visitor>
void visit_run_and_data(ConfigType& config, Visitor& visit) {
  visit("seed", config.seed, rules::seed, "seed for all random numbers in the run");

  visit("run.name", config.run.name, TextRule::run_name, "name of the run directory");
  visit("run.output_dir", config.run.output_dir, TextRule::path, "directory in which run directories are created");

  visit("data.kind", config.data.kind, Words<DatasetKind>{},
        "format of the data: IDX files (MNIST), CIFAR binary files, a folder of images, or an npz file (MedMNIST)");
  visit("data.path", config.data.path, TextRule::path,
        "directory or file that contains the data set; ~/ expands to the home directory");
  visit("data.resolution", config.data.resolution, OneOf{{32, 64, 128}},
        "height and width in pixels to which images are resized");
  visit("data.channels", config.data.channels, OneOf{{0, 1, 3}},
        "1 converts images to gray, 3 to RGB; 0 keeps their channels (image folders: RGB)");
  visit("data.flip", config.data.flip, Flag{}, "mirror images horizontally with probability 1/2");
  visit("data.transpose", config.data.transpose, Flag{}, "kind idx: swap rows and columns, for EMNIST");
  visit("data.fit", config.data.fit, Words<ImageFit>{},
        "how images are fitted to the resolution: pad centres an image on black if both sides are 3/4 to 1 times the "
        "resolution, and otherwise uses its central square; crop resizes the central square; stretch resizes the whole "
        "image; auto means crop for image folders and pad for other kinds");
  visit("data.background", config.data.background, TextRule::colour,
        "colour behind transparent pixels: white, black or #rrggbb; none uses the colours stored in them");
  visit("data.labels", config.data.labels, Words<LabelUse>{},
        "auto uses the labels in the data if there are any (image folders: the names of the directories); none ignores "
        "them");
  visit("data.max_unreadable", config.data.max_unreadable, Reals{0, 1},
        "kind image_folder: maximum fraction of unreadable files, which are skipped; if it is above 0, up to five such "
        "files are always allowed");
}

/// Visits the fields of an ActivationConfig under the keys of one network. The key of an option must begin with the
/// name of its activation, because validate() uses this name to find options that have no effect.
template <class NetworkType, class Visitor>
void visit_activation(NetworkType& network, Visitor& visit, std::string_view activation, std::string_view slope,
                      std::string_view prelu, std::string_view rrelu) {
  visit(activation, network.activation, Words<ActivationKind>{}, "activation of the hidden layers");
  visit(slope, network.negative_slope, rules::slopes,
        "slope of the activations for negative inputs: 0 is ReLU, 1 is linear; most GANs use 0.2");
  visit(prelu, network.prelu, Words<PReluKind>{},
        "activation prelu: one slope per layer or per channel, optionally bounded to (0, 1)");
  visit(rrelu, network.rrelu, Words<RReLUDefinition>{},
        "activation rrelu: draw the slope from U(1/8, 1/3), or its reciprocal from U(3, 8)");
}

template <class ConfigType, class Visitor>
void visit_networks(ConfigType& config, Visitor& visit) {
  constexpr std::string_view width_help =
      "channels at the highest resolution; each halving of the resolution doubles them. Cost grows as width^2";

  auto& g = config.generator;
  visit("generator.latent_dim", g.latent_dim, Integers{1, 4096}, "dimension of the latent vector");
  visit("generator.width", g.width, rules::width, width_help);
  visit_activation(g, visit, "generator.activation", "generator.negative_slope", "generator.prelu", "generator.rrelu");
  visit("generator.norm", g.norm, Words<GeneratorNorm>{},
        "normalisation before the activations: batch norm, or batch norm whose scale and shift a small network "
        "computes from the latent (self-modulation)");

  auto& d = config.discriminator;
  visit("discriminator.width", d.width, rules::width, width_help);
  visit_activation(d, visit, "discriminator.activation", "discriminator.negative_slope", "discriminator.prelu",
                   "discriminator.rrelu");
  visit("discriminator.norm", d.norm, Words<DiscriminatorNorm>{},
        "normalisation: batch norm, or spectral norm of the weights");
  visit("discriminator.augment", d.augment, subset_of<Augmentation>(),
        "differentiable augmentation of real and generated images, for small data sets");

  visit("init.mode", config.init.mode, Words<InitMode>{},
        "initial weights: N(0, std^2), or He's variance 2 / (1 + slope^2) / fan_in");
  visit("init.std", config.init.std, Reals{0, 10, true}, "standard deviation for init.mode normal");
}

template <class ConfigType, class Visitor>
void visit_loss_and_optimizer(ConfigType& config, Visitor& visit) {
  visit("loss.kind", config.loss.kind, Words<LossKind>{},
        "adversarial loss; relativistic pairs each real image with a generated image");
  visit("loss.real_label", config.loss.real_label, Reals{0, 1.2, true},
        "kinds bce and lsgan: target for real images; 0.9 is one-sided label smoothing");
  visit("loss.label_noise", config.loss.label_noise, Reals{0, 0.5},
        "kinds bce and lsgan: largest random offset added to the target for each real image");
  visit("loss.r1", config.loss.r1, rules::penalty, "weight gamma of the R1 penalty, gamma/2 |dD/dx|^2 at real images");
  visit("loss.r2", config.loss.r2, rules::penalty,
        "weight gamma of the R2 penalty, gamma/2 |dD/dx|^2 at generated images");
  visit("loss.r1_every", config.loss.r1_every, Integers{1, 1000},
        "apply the R1 and R2 penalties in every Nth discriminator step, with N times their weights (lazy "
        "regularisation)");
  visit("loss.gradient_penalty", config.loss.gradient_penalty, rules::penalty,
        "weight of (|dD/dx| - 1)^2 between real and generated images; 10 is usual with kind wasserstein");

  auto& optimizer = config.optimizer;
  visit("optimizer.generator_lr", optimizer.generator_lr, rules::learning_rate,
        "learning rate of Adam for the generator");
  visit("optimizer.discriminator_lr", optimizer.discriminator_lr, rules::learning_rate,
        "learning rate of Adam for the discriminator");
  visit("optimizer.beta1", optimizer.beta1, rules::beta, "decay rate of Adam's first moment");
  visit("optimizer.beta2", optimizer.beta2, rules::beta, "decay rate of Adam's second moment");
  visit("optimizer.discriminator_steps", optimizer.discriminator_steps, Integers{1, 100},
        "discriminator updates per generator update");
  visit("optimizer.lr_warmup_images", optimizer.lr_warmup_images, Integers{0, rules::max_images, "no warm-up"},
        "number of images over which the learning rates rise linearly from 0");
  visit("optimizer.lr_decay", optimizer.lr_decay, Words<LearningRateDecay>{}, "decay of the learning rates to 0");
  visit("optimizer.lr_decay_images", optimizer.lr_decay_images, Integers{0, rules::max_images, "total_images"},
        "number of images after which the learning rates are 0");

  visit("ema.half_life_images", config.ema.half_life_images, Integers{0, rules::max_images, "no average"},
        "half-life, in images, of the exponential moving average of the generator's weights, with which samples are "
        "generated; limited to 5 % of the images seen so far");
}

template <class ConfigType, class Visitor>
void visit_training(ConfigType& config, Visitor& visit) {
  auto& training = config.training;
  visit("training.total_images", training.total_images, rules::images, "length of the run, in real images");
  visit("training.batch_size", training.batch_size, Integers{1, 65536}, "global batch size (all ranks together)");
  visit("training.precision", training.precision, Words<Precision>{},
        "dtype of convolutions and activations; auto selects bfloat16 if the hardware supports it natively");
  visit("training.device", training.device, Words<Device>{},
        "device to train on; auto selects CUDA if a device is available");
  visit("training.threads", training.threads, Integers{0, 1024, "OMP_NUM_THREADS, or one per usable core"},
        "number of threads for the CPU kernels");
  visit("training.sync_batch_norm", training.sync_batch_norm, Flag{},
        "several ranks: compute the batch norm statistics across all ranks instead of per rank");

  visit("samples.every_images", config.samples.every_images, rules::every_images_and_last,
        "number of images between sample grids");
  visit("samples.rows", config.samples.rows, rules::grid, "rows of the grid; rows * columns must be at most 1024");
  visit("samples.columns", config.samples.columns, rules::grid, "columns of the grid");

  visit("checkpoint.every_images", config.checkpoint.every_images, rules::every_images_and_last,
        "number of images between checkpoints");
  visit("checkpoint.keep", config.checkpoint.keep, Integers{2, 1'000'000}, "number of most recent checkpoints to keep");
  visit("checkpoint.keep_best", config.checkpoint.keep_best, Flag{},
        "also keep the checkpoint with the lowest Frechet distance");
}

template <class ConfigType, class Visitor>
void visit_measurements(ConfigType& config, Visitor& visit) {
  auto& metrics = config.metrics;
  visit("metrics.every_images", metrics.every_images, rules::every_images,
        "number of images between evaluations; unless this is 0, the last one is at the end of the run");
  visit("metrics.samples", metrics.samples, Integers{100, 100'000}, "number of generated images per evaluation");
  visit(
      "metrics.extractor", metrics.extractor, Extractors{4},
      "feature extractor, or a list of them (the first one selects the best checkpoint): classifier (trained on the "
      "labels), "
      "efficientnet-lite0 (ImageNet weights), random (random weights), or a TorchScript file, whose code is executed; "
      "auto is classifier for data with labels, otherwise efficientnet-lite0 for colour and random for gray images");
  visit("metrics.names", metrics.names, subset_of<MetricName>(), "metrics to compute");

  auto& diagnostics = config.diagnostics;
  visit("diagnostics.every_images", diagnostics.every_images, rules::every_images,
        "number of images between diagnostics of the layers");
  visit("diagnostics.probes", diagnostics.probes, Integers{100, 1'000'000},
        "minimum number of pre-activations counted per unit");

  visit("events.tensorboard", config.events.tensorboard, Flag{},
        "write TensorBoard event files: scalars, sample grids, histograms of pre-activations");
}

template <class ConfigType, class Visitor>
void visit_sweep(ConfigType& config, Visitor& visit) {
  auto& sweep = config.sweep;
  visit("sweep.negative_slope", sweep.negative_slope, ListOf<Reals>{rules::slope, 1000}, "slopes to compare");
  visit("sweep.apply_to", sweep.apply_to, Words<SweepTarget>{}, "networks to which the slopes apply");
  visit("sweep.control", sweep.control, rules::slope, "slope with which all others are compared");
  visit("sweep.seeds", sweep.seeds, ListOf<Integers>{rules::seed, 1000},
        "seeds with which each slope is trained; a race counts up from the first");
  visit("sweep.jobs", sweep.jobs, Integers{0, 1024, "chosen from the number of cores"}, "number of runs in parallel");
  visit("sweep.design", sweep.design, Words<SweepDesign>{},
        "fixed trains all slopes with all seeds; race tests interim results and trains only as many seeds as needed");
  visit("sweep.cross", sweep.cross, Conditions{64},
        "other keys to vary: every slope is trained under every condition (design fixed)");
  visit("sweep.alpha", sweep.alpha, Reals{0, 0.5, true},
        "maximum probability that one or more slopes are wrongly called better or worse, over all looks of a race "
        "together; the intervals, which decide whether a race calls a slope equivalent, have a separate error rate of "
        "this size");
  visit("sweep.equivalence", sweep.equivalence, Reals{0, 10, true},
        "design race: a slope counts as equivalent once its FD is shown to be within this fraction of the control's");
  visit("sweep.give_up", sweep.give_up, Reals{0, 1e6},
        "design race: stop training a slope whose interim FD is at least this many times the control's for two "
        "seeds; 0: never");
  visit("sweep.stop_running", sweep.stop_running, Flag{},
        "design race: immediately stop arms that no longer matter, instead of letting them run to completion");
}

}  // namespace fields

/// Calls visit(key, field, rule, help) for every key in the order of the printed configuration. `field` is a reference
/// into `config` and is const if `config` is. `rule` has one of the types in rules.h; visitors provide an overload for
/// each of them.
template <class ConfigType, class Visitor>
void visit_fields(ConfigType& config, Visitor&& visit) {
  fields::visit_run_and_data(config, visit);
  fields::visit_networks(config, visit);
  fields::visit_loss_and_optimizer(config, visit);
  fields::visit_training(config, visit);
  fields::visit_measurements(config, visit);
  fields::visit_sweep(config, visit);
}

}  // namespace slopegan
