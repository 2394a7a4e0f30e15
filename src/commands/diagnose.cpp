#include <algorithm>
#include <memory>
#include <string>

#include "commands/checkpoint_argument.h"
#include "commands/commands.h"
#include "commands/output.h"
#include "diagnostics/vitals.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/text.h"
#include "training/diagnosis.h"

namespace slopegan {

namespace {

struct DiagnoseArguments {
  std::string path;
  std::string data;
};

std::string percent(double share) { return format_text("{:.1f} %", 100 * share); }

std::string layer_table(const DiagnosticsRecord& record) {
  std::string text =
      format_text("{:<24} {:>8} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "activation", "slope", "units",
                  "values", "dead", "always -", "always +", "dormant", "P(x<0)", "energy*");
  for (const auto& layer : record.layers) {
    const auto never = percent(layer.never_positive);
    text += format_text("{:<24} {:8.4g} {:6} {:9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", layer.name,
                        layer.negative_slope, layer.units, layer.values, layer.is_dead_kind() ? never.c_str() : "-",
                        layer.is_dead_kind() ? "-" : never, percent(layer.always_positive), percent(layer.dormant),
                        percent(layer.negative_fraction), percent(layer.slope_energy));
  }
  std::int64_t fewest = record.layers.front().values;
  for (const auto& layer : record.layers) fewest = std::min(fewest, layer.values);
  return text +
         format_text(
             "* share of the output's energy that passed through the slope. A unit never seen positive in M values "
             "has P(x > 0) < 3/M at 95 %: here below {:.2g}\n",
             3.0 / static_cast<double>(fewest));
}

std::string parameter_table(const DiagnosticsRecord& record) {
  std::string text = format_text("{:<36} {:>12} {:>12} {:>12}\n", "parameter", "|gradient|", "exactly 0", "|dW|/|W|");
  for (const auto& parameter : record.parameters) {
    text += format_text("{:<36} {:12.4g} {:>12} {:12.4g}\n", parameter.name, parameter.gradient_norm,
                        percent(parameter.zero_gradients), parameter.update_ratio);
  }
  return text;
}

std::string summary(const DiagnosticsRecord& record) {
  std::string text =
      format_text("discriminator right about: training images {}, ", percent(record.discriminator.accuracy_train));
  if (record.discriminator.accuracy_held_out)
    text += format_text("held-out images {}, ", percent(*record.discriminator.accuracy_held_out));
  text += format_text("generated images {}; margin {:.3g}; |d logit / d image| {:.3g}\n",
                      percent(record.discriminator.accuracy_fake), record.discriminator.margin,
                      record.discriminator.image_gradient_norm);
  text += format_text(
      "generated images: {:.3g} of the real ones' distance from each other; {} of the pixels beyond 0.99, "
      "real images {}\n",
      record.samples.diversity, percent(record.samples.saturated_fake), percent(record.samples.saturated_real));
  for (const auto& name : record.sentinels) text += "warning: " + sentinel_text(name) + "\n";
  if (record.sentinels.empty()) text += "no alarm (collapse, saturation, vanished gradient)\n";
  return text;
}

int run_diagnose(const DiagnoseArguments& arguments) {
  const auto checkpoint = find_checkpoint(arguments.path);
  const auto record = diagnose_checkpoint(checkpoint, arguments.data);
  log::table(format_text("{} after {} images, probed with {} latents and as many real images\n\n",
                         printable(checkpoint.directory.string(), 4096), record.images, record.probes) +
             layer_table(record) + "\n" + parameter_table(record) + "\n" + summary(record));
  print(diagnostics_text(record, 2) + "\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_diagnose(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<DiagnoseArguments>();
  command
      .add_option("path", arguments->path,
                  "Directory of a run, which stands for its newest checkpoint, or of a checkpoint")
      ->required()
      ->type_name("RUN|CHECKPOINT");
  command.add_option("--data", arguments->data, "Where the run's data set is now (default: where it was)")
      ->type_name("PATH");
  command.footer("The table goes to the standard error, the figures as JSON to the standard output.");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return run_diagnose(*arguments); };
  });
}

}  // namespace slopegan
