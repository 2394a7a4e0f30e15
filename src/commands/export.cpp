#include "export/export.h"

#include <memory>

#include "commands/checkpoint_argument.h"
#include "commands/commands.h"
#include "commands/output.h"
#include "support/errors.h"
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
  if (options.out.filename().empty()) throw UsageError("--out names a file");
  if (!arguments.reference.empty()) options.reference = arguments.reference;
  install_signal_handlers();
  const double difference = export_generator(find_checkpoint(arguments.path), options);
  log::info(format_text(
      "read back and run: no pixel in [-1, 1] differs from LibTorch's or this program's by more than {:.2g}",
      difference));
  print(printable(options.out.string(), 4096) + "\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_export(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<ExportArguments>();
  command
      .add_option("path", arguments->path,
                  "Directory of a run, which stands for its newest checkpoint, or of a checkpoint")
      ->required()
      ->type_name("RUN|CHECKPOINT");
  command
      .add_option("--format", arguments->options.format,
                  "onnx: opset 17; torchscript: for torch.jit.load; safetensors: a state dict with PyTorch's names")
      ->required()
      ->check(CLI::IsMember(export_format_names()))
      ->type_name(join(export_format_names(), "|"));
  command.add_option("--out", arguments->out, "The file to write")->required()->type_name("FILE");
  command.add_flag("--fold-batch-norm", arguments->options.fold_batch_norm,
                   "Put the factors and offsets of batch norm into the convolutions in front");
  command
      .add_option("--reference", arguments->reference,
                  "Also write latents and LibTorch's images of them (safetensors), to test the file with elsewhere")
      ->type_name("FILE");
  command.add_flag("--overwrite", arguments->options.overwrite, "Replace files of the same names");
  command.footer(
      "The averaged generator in evaluation mode: float32 latents [N, latent_dim] from N(0, 1) to images [N, channels, "
      "height, width] in [-1, 1], for any N. The file is read back, run and compared with LibTorch before it is "
      "there.");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return run_export(*arguments); };
  });
}

}  // namespace slopegan
