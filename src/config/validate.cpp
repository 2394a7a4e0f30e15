#include "config/validate.h"

#include <algorithm>
#include <bit>
#include <set>
#include <utility>

#include "config/conditions.h"
#include "config/fields.h"
#include "config/print.h"
#include "support/errors.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {
namespace {

/// The slope of one network and the keys that define it.
struct NetworkSlope {
  const NegativeSlope& slope;
  ActivationKind activation;
  PReluKind prelu;
  std::string slope_key;
  std::string section;

  std::string activation_text() const { return section + ".activation = " + std::string(name_of(activation)); }
};

/// The values of all layers, or both ends of the schedule.
std::vector<double> slope_values(const NegativeSlope& slope) {
  return slope.schedule ? std::vector<double>{slope.schedule->from, slope.schedule->to} : slope.values;
}

void check_outside_unit_interval(const NetworkSlope& network, double value, ConfigFindings& findings) {
  if (value >= 0 && value <= 1) return;
  const std::string what = format_text("{} = {} is outside [0, 1]: ", network.slope_key, shortest(value));
  if (traits_of(network.activation).learns_slope) {
    findings.errors.push_back(
        {{network.slope_key, network.section + ".activation"}, what + "not allowed with " + network.activation_text()});
  } else {
    findings.warnings.push_back(
        {{network.slope_key}, what + (value < 0 ? "the activation is not monotone" : "negative inputs are amplified")});
  }
}

void check_bounded(const NetworkSlope& network, double value, ConfigFindings& findings) {
  const bool bounded = network.prelu == PReluKind::bounded || network.prelu == PReluKind::bounded_channel;
  if (network.activation != ActivationKind::prelu || !bounded || (value > 0 && value < 1)) return;
  findings.errors.push_back({{network.slope_key, network.section + ".prelu", network.section + ".activation"},
                             format_text("{} = {} is not allowed with {}.prelu = {}; allowed: above 0 and below 1",
                                         network.slope_key, shortest(value), network.section, name_of(network.prelu))});
}

void check_schedule(const NetworkSlope& network, ConfigFindings& findings) {
  if (!network.slope.schedule) return;
  const SlopeSchedule& schedule = *network.slope.schedule;
  if (schedule.shape == SlopeShape::log && !(schedule.from > 0 && schedule.to > 0)) {
    findings.errors.push_back(
        {{network.slope_key}, network.slope_key + ": with shape log, from and to must be above 0"});
  }
  if (traits_of(network.activation).learns_slope) {
    findings.errors.push_back(
        {{network.slope_key, network.section + ".activation"},
         network.slope_key + " is a schedule, but " + network.activation_text() + " learns its slope"});
  }
}

void check_length(const NetworkSlope& network, std::int64_t resolution, ConfigFindings& findings) {
  const std::size_t length = network.slope.values.size();
  const auto layers = static_cast<std::size_t>(activation_count(resolution));
  if (network.slope.schedule || length == 1 || length == layers) return;
  findings.errors.push_back({{network.slope_key, "data.resolution"},
                             format_text("{} has {} values, but the {} has {} activations at data.resolution = {}",
                                         network.slope_key, length, network.section, layers, resolution)});
}

void check_slope(const NetworkSlope& network, std::int64_t resolution, ConfigFindings& findings) {
  if (!traits_of(network.activation).uses_negative_slope) return;
  check_length(network, resolution, findings);
  check_schedule(network, findings);
  for (const double value : slope_values(network.slope)) {
    check_outside_unit_interval(network, value, findings);
    check_bounded(network, value, findings);
  }
}

NetworkSlope network_slope(const ActivationConfig& network, const std::string& section) {
  return {network.negative_slope, network.activation, network.prelu, section + ".negative_slope", section};
}

using IsGiven = std::function<bool(std::string_view)>;

/// The activations that a network has under the conditions of the sweep; its only activation if there are no
/// conditions.
std::vector<ActivationKind> activations_in_use(const Config& config, const ActivationConfig& network,
                                               const std::string& section) {
  std::vector<std::string> names;
  if (config.sweep.cross.list.empty()) names.emplace_back(name_of(network.activation));
  for (const auto& settings : config.sweep.cross.list) {
    const auto set = std::ranges::find(settings, section + ".activation", &Setting::key);
    names.emplace_back(set == settings.end() ? name_of(network.activation) : set->value);
  }
  std::vector<ActivationKind> used;
  for (const auto kind : enum_values<ActivationKind>) {
    if (contains(names, std::string(name_of(kind)))) used.push_back(kind);
  }
  return used;
}

bool has_key(const std::vector<Setting>& settings, std::string_view key) {
  return std::ranges::any_of(settings, [&](const Setting& setting) { return setting.key == key; });
}

/// Warns about given keys that have no effect with the activations in use: negative_slope, and the options of other
/// activations. The key of an option begins with the name of the activation to which it belongs.
void warn_unused_activation_keys(const Config& config, const ActivationConfig& network, const std::string& section,
                                 const IsGiven& is_given, ConfigFindings& findings) {
  const auto used = activations_in_use(config, network, section);
  std::vector<std::string> names;
  for (const auto kind : used) names.emplace_back(name_of(kind));
  const auto warn = [&](const std::string& key) {
    if (!is_given(key)) return;
    findings.warnings.push_back(
        {{key, section + ".activation"},
         format_text("{} has no effect with {}.activation = {}", key, section, join(names, " or "))});
  };
  const auto uses_slope = [](ActivationKind kind) { return traits_of(kind).uses_negative_slope; };
  if (std::ranges::none_of(used, uses_slope)) warn(section + ".negative_slope");
  // Options with default values cause no warning, because the config.yaml of a run contains the options of all
  // activations.
  for (const auto& changed : differences(Config(), config)) {
    const auto is_option_of = [&](ActivationKind kind) {
      return changed.key.starts_with(section + "." + std::string(name_of(kind)));
    };
    if (std::ranges::none_of(used, is_option_of) && std::ranges::any_of(enum_values<ActivationKind>, is_option_of)) {
      warn(changed.key);
    }
  }
}

void warn_unused_targets(const Config& config, const IsGiven& is_given, ConfigFindings& findings) {
  if (has_targets(config.loss.kind)) return;
  for (const std::string key : {"loss.real_label", "loss.label_noise"}) {
    if (!is_given(key)) continue;
    findings.warnings.push_back(
        {{key, "loss.kind"}, format_text("{} has no effect with loss.kind = {}", key, name_of(config.loss.kind))});
  }
}

void check_penalties(const Config& config, ConfigFindings& findings) {
  const LossConfig& loss = config.loss;
  // The R1 and R2 penalties are also defined per image, but cause no warning, because they work with batch norm if
  // their weights are small (see configs/emoji_groups.yaml).
  if (loss.gradient_penalty != 0 && config.discriminator.norm == DiscriminatorNorm::batch) {
    findings.warnings.push_back({{"loss.gradient_penalty", "discriminator.norm"},
                                 "loss.gradient_penalty with discriminator.norm = batch: the gradient of an image also "
                                 "depends on the rest of the batch; prefer norm none or spectral"});
  }
  if (loss.kind == LossKind::wasserstein && loss.gradient_penalty == 0 &&
      config.discriminator.norm != DiscriminatorNorm::spectral) {
    findings.warnings.push_back({{"loss.kind", "loss.gradient_penalty", "discriminator.norm"},
                                 "loss.kind = wasserstein does not bound the discriminator's gradient: set "
                                 "loss.gradient_penalty = 10 or discriminator.norm = spectral"});
  }
}

void check_learning_rates(const Config& config, ConfigFindings& findings) {
  const OptimizerConfig& optimizer = config.optimizer;
  if (optimizer.lr_decay == LearningRateDecay::none || optimizer.lr_decay_images == 0 ||
      optimizer.lr_decay_images >= config.training.total_images) {
    return;
  }
  findings.warnings.push_back({{"optimizer.lr_decay_images", "training.total_images"},
                               format_text("the learning rates reach 0 after {} images, before the end of training",
                                           optimizer.lr_decay_images)});
}

template <class Value>
void check_list(const std::string& key, const std::vector<Value>& values, std::vector<std::string>& errors) {
  if (values.empty()) errors.push_back(key + " is empty; a sweep needs at least one value");
  std::set<Value> seen;
  for (const Value& value : values) {
    if (!seen.insert(value).second)
      errors.push_back(format_text("{} contains {} twice", key, shortest(static_cast<double>(value))));
  }
}

std::vector<NetworkSlope> sweep_targets(const Config& config, const NegativeSlope& slope) {
  const auto& g = config.generator;
  const auto& d = config.discriminator;
  std::vector<NetworkSlope> targets;
  if (config.sweep.apply_to != SweepTarget::discriminator) {
    targets.push_back({slope, g.activation, g.prelu, "sweep.negative_slope", "generator"});
  }
  if (config.sweep.apply_to != SweepTarget::generator) {
    targets.push_back({slope, d.activation, d.prelu, "sweep.negative_slope", "discriminator"});
  }
  return targets;
}

void check_targets_use_slope(const Config& config, std::vector<std::string>& errors) {
  const NegativeSlope any;
  for (const auto& target : sweep_targets(config, any)) {
    if (traits_of(target.activation).uses_negative_slope) continue;
    errors.push_back("sweep.negative_slope has no effect with " + target.activation_text() +
                     "; change the activation or sweep.apply_to");
  }
}

/// Checks the slopes of the sweep under one condition, or without conditions.
ConfigFindings check_sweep_slopes(const Config& config) {
  ConfigFindings findings;
  for (const double value : config.sweep.negative_slope) {
    const NegativeSlope slope(value);
    for (const auto& target : sweep_targets(config, slope)) check_slope(target, config.data.resolution, findings);
  }
  return findings;
}

void check_race(const Config& config, std::vector<std::string>& errors) {
  const SweepConfig& sweep = config.sweep;
  const auto& slopes = sweep.negative_slope;
  if (!contains(slopes, sweep.control)) {
    errors.push_back(
        format_text("sweep.control = {} is not in sweep.negative_slope; a race compares the other slopes "
                    "with it and must train it",
                    shortest(sweep.control)));
  } else if (slopes.size() < 2) {
    errors.emplace_back("sweep.negative_slope contains only the control; a race needs another slope");
  }
  if (!sweep.cross.list.empty()) {
    errors.emplace_back(
        "sweep.cross is not allowed with sweep.design = race, because a race controls the error rate for one "
        "condition only; use sweep.design = fixed, or one race per condition");
  }
  if (sweep.give_up != 0 && sweep.give_up < 1) {
    errors.push_back(
        format_text("sweep.give_up = {} is not allowed; allowed: 0 (never), or 1 or more", shortest(sweep.give_up)));
  }
  if (!sweep.seeds.empty() && sweep.seeds.front() > rules::max_images) {
    errors.push_back(format_text("sweep.seeds starts at {}; a race counts up from this seed, which may be at most {}",
                                 sweep.seeds.front(), rules::max_images));
  }
  if (config.metrics.every_images == 0 || !contains(config.metrics.names, MetricName::fd)) {
    errors.emplace_back("metrics.every_images must not be 0 and metrics.names must contain fd, which decides a race");
  }
}

/// Checks each condition like a separate configuration. Warnings that do not involve the condition's keys are omitted,
/// because the check of the configuration without conditions reports them.
void check_conditions(const Config& config, std::vector<std::string>& errors, std::vector<std::string>& warnings) {
  const auto target = config.sweep.apply_to;
  for (const auto& settings : config.sweep.cross.list) {
    for (const auto& setting : settings) {
      const bool is_swept = (setting.key == "generator.negative_slope" && target != SweepTarget::discriminator) ||
                            (setting.key == "discriminator.negative_slope" && target != SweepTarget::generator);
      if (is_swept) errors.push_back("sweep.cross sets " + setting.key + ", which the sweep itself varies");
    }
    const auto is_set = [&](std::string_view key) { return has_key(settings, key); };
    Config condition = with_settings(config, settings);
    condition.sweep.cross.list.clear();
    const ConfigFindings findings = validate(condition, is_set);
    std::vector<std::string> found;
    check_targets_use_slope(condition, found);
    for (const auto& finding : findings.errors) found.push_back(finding.message);
    for (const auto& finding : check_sweep_slopes(condition).errors) found.push_back(finding.message);
    const std::string place = format_text("sweep.cross {{{}}}: ", settings_text(settings));
    for (const auto& message : found) {
      if (!contains(errors, place + message)) errors.push_back(place + message);
    }
    for (const auto& finding : findings.warnings) {
      if (std::ranges::any_of(finding.keys, is_set)) warnings.push_back(place + finding.message);
    }
  }
}

std::vector<std::string> messages_once(const std::vector<Finding>& findings) {
  std::vector<std::string> messages;
  for (const auto& finding : findings) {
    if (!contains(messages, finding.message)) messages.push_back(finding.message);
  }
  return messages;
}

}  // namespace

std::int64_t activation_count(std::int64_t resolution) {
  return std::bit_width(static_cast<std::uint64_t>(resolution)) - 1 - 2;
}

ConfigFindings validate(const Config& config, const std::function<bool(std::string_view)>& is_given) {
  ConfigFindings findings;
  for (const auto& network :
       {network_slope(config.generator, "generator"), network_slope(config.discriminator, "discriminator")}) {
    check_slope(network, config.data.resolution, findings);
  }
  warn_unused_activation_keys(config, config.generator, "generator", is_given, findings);
  warn_unused_activation_keys(config, config.discriminator, "discriminator", is_given, findings);
  warn_unused_targets(config, is_given, findings);
  check_penalties(config, findings);
  check_learning_rates(config, findings);
  if (config.data.transpose && config.data.kind != DatasetKind::idx) {
    findings.warnings.push_back(
        {{"data.transpose", "data.kind"},
         format_text("data.transpose has no effect with data.kind = {}", name_of(config.data.kind))});
  }
  if (const auto& samples = config.samples; samples.rows * samples.columns > 1024) {
    findings.errors.push_back({{"samples.rows", "samples.columns"},
                               format_text("samples.rows * samples.columns = {} is out of range; allowed: at most 1024",
                                           samples.rows * samples.columns)});
  }
  return findings;
}

std::vector<std::string> validate_sweep(const Config& config) {
  std::vector<std::string> errors, warnings;
  check_list("sweep.negative_slope", config.sweep.negative_slope, errors);
  check_list("sweep.seeds", config.sweep.seeds, errors);
  if (config.sweep.cross.list.empty()) check_targets_use_slope(config, errors);
  if (config.sweep.design == SweepDesign::race) check_race(config, errors);
  check_conditions(config, errors, warnings);
  ConfigFindings findings = check_sweep_slopes(config);
  if (!config.sweep.cross.list.empty()) findings.errors.clear();  // each condition was checked instead
  for (auto& message : messages_once(findings.errors)) errors.push_back(std::move(message));
  if (!errors.empty()) throw UsageError(join(errors, "\n"));
  for (auto& message : messages_once(findings.warnings)) warnings.push_back(std::move(message));
  return warnings;
}

}  // namespace slopegan
