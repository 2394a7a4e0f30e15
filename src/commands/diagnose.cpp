#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "data/dataset.h"
#include "diagnostics/diagnosis.h"
#include "diagnostics/vitals.h"
#include "models/compute.h"
#include "run/checkpoint.h"
#include "run/json.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/posix_file.h"
#include "support/text.h"
#include "training/gan_step.h"

namespace slopegan {

namespace {

struct DiagnoseArguments {
  std::string path;
  std::string data;
  std::int64_t probes = 0;
};

std::string percent(double share) { return format_text("{:.1f} %", 100 * share); }

/// Returns the percentage of the network's units that are never positive, counted only in the layers where such units
/// are dead or, if `dead` is false, only in the other layers. Returns "-" if there is no such layer.
std::string never_positive(std::vector<LayerDiagnosis> layers, const std::string& network, bool dead) {
  const auto all = whole_network(layers, network).units;
  std::erase_if(layers, [&](const LayerDiagnosis& layer) { return layer.is_dead_kind() != dead; });
  const auto some = whole_network(layers, network);
  return some.units == 0 ? "-"
                         : percent(some.never_positive * static_cast<double>(some.units) / static_cast<double>(all));
}

std::string layer_table(const DiagnosticsRecord& record) {
  std::string text =
      format_text("{:<24} {:>8} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "activation", "slope", "units",
                  "values", "dead", "always -", "always +", "dormant", "P(x<0)", "energy*");
  const auto add_row = [&](const LayerDiagnosis& layer, const std::string& dead, const std::string& always_negative) {
    const bool has_one_slope = std::isfinite(layer.negative_slope);
    text += format_text("{:<24} {:>8} {:6} {:9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", layer.name,
                        has_one_slope ? format_text("{:.4g}", layer.negative_slope) : "-", layer.units, layer.values,
                        dead, always_negative, percent(layer.always_positive), percent(layer.dormant),
                        percent(layer.negative_fraction),
                        std::isfinite(layer.slope_energy) ? percent(layer.slope_energy) : "-");
  };
  for (const auto& layer : record.layers) {
    const auto never = percent(layer.never_positive);
    add_row(layer, layer.is_dead_kind() ? never : "-", layer.is_dead_kind() ? "-" : never);
  }
  for (const char* network : {"generator", "discriminator"}) {
    auto whole = whole_network(record.layers, network);
    if (whole.units == 0) continue;
    whole.name += " (all)";
    add_row(whole, never_positive(record.layers, network, true), never_positive(record.layers, network, false));
  }
  // The bound counts images, not positions, because the values of one image are correlated.
  return text +
         format_text(
             "* fraction of the output energy that comes from negative inputs. If a unit is never positive in M "
             "images, then, with 95 % confidence, it is positive in fewer than 3/M of all images; here, in fewer than "
             "{:.2g} %\n",
             300.0 / static_cast<double>(std::max<std::int64_t>(1, record.probes)));
}

std::string parameter_table(const DiagnosticsRecord& record) {
  std::string text = format_text("{:<42} {:>12} {:>12} {:>12}\n", "parameter", "|gradient|", "exactly 0", "|dW|/|W|");
  for (const auto& parameter : record.parameters) {
    // The ratio is infinite while the parameter is still at its initial value 0.
    const std::string ratio =
        std::isfinite(parameter.update_ratio) ? format_text("{:.4g}", parameter.update_ratio) : "-";
    text += format_text("{:<42} {:12.4g} {:>12} {:>12}\n", parameter.name, parameter.gradient_norm,
                        percent(parameter.zero_gradients), ratio);
  }
  return text;
}

std::string diversity_text(const std::optional<double>& diversity) {
  if (!diversity) return "unknown, because all real images are identical";
  if (!std::isfinite(*diversity)) return "unknown, because some generated images are not finite";
  return format_text("{:.3g} times that of real images", *diversity);
}

std::string summary(const DiagnosticsRecord& record) {
  const auto& discriminator = record.discriminator;
  const auto& samples = record.samples;
  std::string text = format_text("discriminator accuracy: training images {}, ", percent(discriminator.accuracy_train));
  if (discriminator.accuracy_held_out)
    text += format_text("held-out images {}, ", percent(*discriminator.accuracy_held_out));
  text += format_text("generated images {}; margin {:.3g}; |d logit / d image| {:.3g}\n",
                      percent(discriminator.accuracy_fake), discriminator.margin, discriminator.image_gradient_norm);
  text += "diversity of generated images: " + diversity_text(samples.diversity);
  text += format_text("; pixels above 0.99 or below -0.99: {} in generated images, {} in real images\n",
                      percent(samples.saturated_fake), percent(samples.saturated_real));
  for (const auto& name : record.sentinels) text += "warning: " + sentinel_text(name) + "\n";
  if (record.sentinels.empty()) text += "no warnings (equal images, collapse, saturation, vanishing gradient)\n";
  return text;
}

struct CheckpointDiagnosis {
  DiagnosticsRecord record;
  std::vector<std::string> unsettled;  ///< see unsettled_shares()
};

/// Diagnoses the layers of a checkpoint, and the gradients of one step on the first probe images. The step changes only
/// a copy of the networks in memory. Throws CheckpointError if the tensors do not match the configuration, and
/// DataError if the images cannot be read.
CheckpointDiagnosis diagnose_checkpoint(const Checkpoint& checkpoint, std::int64_t probes) {
  Config config = checkpoint_config(checkpoint);
  config.training.device = Device::automatic;  // the device of this machine, not of the one that trained the run
  const auto dataset = load_dataset(config.data, Split::train);
  log_notes(*dataset, Split::train);
  if (checkpoint.info.was_trained_on_other_images(dataset->hash)) {
    log::warning("the images at " + printable(config.data.path) + " are not those that the run was trained on");
  }
  const Compute compute = choose_compute(config.training);
  apply_compute(compute);
  GanState state(config, dataset->channels(), compute.device), stepped(config, dataset->channels(), compute.device);
  state.restore(checkpoint.tensors);
  stepped.restore(checkpoint.tensors);
  if (probes == 0) probes = std::max(least_diagnosed_probes, probe_count(config, dataset->channels()));
  const Diagnosis diagnosis(config, compute, *dataset, probes);
  std::vector<RealImages> batches;
  for (std::int64_t i = 0; i < config.optimizer.discriminator_steps; ++i) {
    batches.emplace_back(diagnosis.training_images(i * config.training.batch_size));
  }
  take_trial_step(stepped, config, compute, batches);
  const auto diagnose = [&, last_step = describe_last_step(stepped)](const Diagnosis& with) {
    return with(state.generator, state.discriminator, state.images_seen, last_step);
  };
  CheckpointDiagnosis found{diagnose(diagnosis), {}};
  const Diagnosis half(config, compute, *dataset, std::max<std::int64_t>(1, diagnosis.probes() / 2));
  if (half.probes() < diagnosis.probes()) found.unsettled = unsettled_shares(diagnose(half), found.record);
  return found;
}

int run_diagnose(const DiagnoseArguments& arguments) {
  const auto checkpoint = find_checkpoint(arguments.path, arguments.data);
  const auto [record, unsettled] = diagnose_checkpoint(checkpoint, arguments.probes);
  log::table(format_text("{} after {} images, probed with {} latents and {} real images\n\n",
                         display(checkpoint.directory), record.images, record.probes, record.probes) +
             layer_table(record) + "\n" + parameter_table(record) + "\n" + summary(record));
  for (const auto& sentence : unsettled) log::warning(sentence + " (--probes)");
  auto json = nlohmann::ordered_json::parse(diagnostics_text(record));
  json["unsettled"] = unsettled;
  print(json_text(json, 2) + "\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_diagnose(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<DiagnoseArguments>();
  declare_checkpoint(command, arguments->path);
  declare_data(command, arguments->data);
  add_integer(command, "--probes", arguments->probes,
              format_text("Number of latents and of real images, rounded up to whole batches and to at least 2 "
                          "(default: {}, or the number that diagnostics.probes requires if that is larger)",
                          least_diagnosed_probes))
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}))
      ->type_name("N");
  command.footer("Writes a table to stderr and the values as JSON to stdout.");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return run_diagnose(*arguments); };
  });
}

}  // namespace slopegan
