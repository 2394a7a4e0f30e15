#include "export/export.h"

#include <memory>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "run/checkpoint.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace {

struct ExportArguments {
  std::string path, out, reference;
  ExportOptions options;
};

int run_export(const ExportArguments& arguments) {
  ExportOptions options = arguments.options;
  options.out = arguments.out;
  if (options.out.filename().empty()) throw UsageError("--out must name a file");
  if (!arguments.reference.empty()) options.reference = arguments.reference;
  install_signal_handlers();
  const Checkpoint checkpoint = find_checkpoint(arguments.path);
  make_parent_directories(options.out);
  if (options.reference) make_parent_directories(*options.reference);
  const double difference = export_generator(checkpoint, options);
  log::info(format_text(
      "verified: pixel values (from -1 to 1) differ by at most {:.2g} from those computed by LibTorch and by this "
      "program",
      difference));
  print(display(options.out) + "\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_export(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<ExportArguments>();
  declare_checkpoint(command, arguments->path);
  command
      .add_option("--format", arguments->options.format,
                  "onnx: opset 17; torchscript: for torch.jit.load; safetensors: a state dict with PyTorch names")
      ->required()
      ->check(CLI::IsMember(export_format_names()))
      ->type_name(join(export_format_names(), "|"));
  command.add_option("--out", arguments->out, "Output file")->required()->type_name("FILE");
  command.add_flag("--fold-batch-norm", arguments->options.fold_batch_norm,
                   "Fold batch norm into the preceding convolutions");
  command
      .add_option("--reference", arguments->reference,
                  "Also write latents and the images that LibTorch computes from them (safetensors), to test the "
                  "exported file in other programs")
      ->type_name("FILE");
  command.add_flag("--overwrite", arguments->options.overwrite, "Overwrite existing files");
  command.footer(
      "Exports the averaged generator in evaluation mode. It maps float32 latents [N, latent_dim] from N(0, 1) to "
      "images [N, channels, height, width] in [-1, 1], for any N. The file is verified against LibTorch before it "
      "appears at --out.");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return run_export(*arguments); };
  });
}

}  // namespace slopegan
