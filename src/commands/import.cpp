#include <memory>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "import/import_weights.h"
#include "support/errors.h"
#include "support/posix_file.h"

namespace slopegan {

namespace {

struct ImportArguments {
  ConfigArguments config;
  std::string weights;
};

int run_import(const ImportArguments& arguments, const RunOrigin& origin) {
  const Config config = arguments.config.load();
  const auto run = import_weights(config, arguments.weights, origin);
  print(display(run) + "\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_import(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<ImportArguments>();
  arguments->config.declare(command);
  command
      .add_option(
          "--weights", arguments->weights,
          "A slopegan checkpoint or run, a safetensors export, or another safetensors file with the tensors of a "
          "DCGAN: generator.* or netG.*, and optionally discriminator.* or netD.*; without such prefixes, all tensors "
          "belong to the generator")
      ->required()
      ->type_name("FILE|DIR");
  command.footer(
      "The configuration describes the networks. The run is created at run.output_dir/run.name and counts images from "
      "0. Of the formats that export writes, only safetensors can be imported. PyTorch pickle files (.pt, .pth) are "
      "not read; for networks like PyTorch's DCGAN example, scripts/import_dcgan.py converts them and writes the "
      "configuration.");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>& argv) {
      return run_import(*arguments, {argv, arguments->config.overrides, program_versions()});
    };
  });
}

}  // namespace slopegan
