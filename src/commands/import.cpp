#include <memory>

#include "commands/commands.h"
#include "commands/config_arguments.h"
#include "commands/output.h"
#include "commands/versions.h"
#include "support/errors.h"
#include "support/text.h"
#include "training/import_weights.h"

namespace slopegan {

namespace {

struct ImportArguments {
  ConfigArguments config;
  std::string weights;
};

int run_import(const ImportArguments& arguments, const RunOrigin& origin) {
  const Config config = arguments.config.load();
  const auto run = import_weights(config, arguments.weights, origin);
  print(printable(run.string(), 4096) + "\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_import(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<ImportArguments>();
  arguments->config.declare(command);
  command
      .add_option("--weights", arguments->weights,
                  "A safetensors file with tensors named as in a checkpoint: generator.*, and discriminator.* if there "
                  "is one")
      ->required()
      ->type_name("FILE");
  command.footer(
      "The configuration describes the networks; the run is made at run.output_dir/run.name. For the networks of "
      "PyTorch's DCGAN example, scripts/import_dcgan.py does both.");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>& argv) {
      return run_import(*arguments, {argv, arguments->config.overrides, program_versions()});
    };
  });
}

}  // namespace slopegan
