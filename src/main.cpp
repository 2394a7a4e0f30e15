#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "commands/commands.h"
#include "commands/program.h"
#include "support/errors.h"
#include "support/heap.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"

namespace {

using slopegan::Action;

struct Command {
  const char* name;
  const char* help;
  void (*setup)(CLI::App&, Action&);
};

constexpr std::array commands = {
    Command{"train", "Train one GAN into a run directory", slopegan::setup_train},
    Command{"sweep", "Train negative slopes x seeds; the same command again goes on where it stopped",
            slopegan::setup_sweep},
    Command{"grid", "Draw the image grid of a run, or the slope contact sheet of a sweep", slopegan::setup_grid},
    Command{"generate", "Write images of a trained generator, or a walk through its latents", slopegan::setup_generate},
    Command{"export", "Write the generator for other programs: ONNX, TorchScript or safetensors",
            slopegan::setup_export},
    Command{"import", "Make a run of weights that another program trained", slopegan::setup_import},
    Command{"report", "Write one self-contained report.html of a run or a sweep", slopegan::setup_report},
    Command{"data", "Say what a data set is, and draw a grid of real images", slopegan::setup_data},
    Command{"evaluate", "Metrics of a run, a checkpoint or a folder of images against real ones",
            slopegan::setup_evaluate},
    Command{"diagnose", "Look at the layers of a run: dead units, gradients, the discriminator's answers",
            slopegan::setup_diagnose},
    Command{"bench", "Time the training step, the activation, inference, or a sweep", slopegan::setup_bench},
    Command{"demo", "Show what theory says about the slope, prediction against measurement", slopegan::setup_demo},
    Command{"completion", "Print what completes commands, options and configuration keys in bash or zsh",
            slopegan::setup_completion},
    Command{"man", "Print the manual page", slopegan::setup_man},
};

int run(int argc, char** argv) {
  CLI::App app("slopegan trains DCGANs and answers which negative slope to use.", "slopegan");
  slopegan::LogArguments log;
  Action action;
  slopegan::declare_globals(app, log);
  for (const auto& command : commands) {
    auto* subcommand = app.add_subcommand(command.name, command.help);
    subcommand->fallthrough();  // global flags may follow the command
    command.setup(*subcommand, action);
  }
  const std::vector<std::string> arguments(argv, argv + argc);
  slopegan::log::init(slopegan::log_options_before_parsing(arguments));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return slopegan::finish_parsing(app, error);
  }
  slopegan::log::init(log.options());
  slopegan::prepare_libraries();
  return action(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  slopegan::prepare_heap();
  slopegan::prepare_streams();
  try {
    return run(argc, argv);
  } catch (const slopegan::Error& error) {
    return slopegan::report_error(error);
  } catch (const std::filesystem::filesystem_error& error) {
    // A path that cannot be looked at (too long, a loop of links, no permission) where no file was being written.
    return slopegan::report_error(slopegan::IoError(slopegan::printable(error.what(), 8192)));
  } catch (const std::exception& error) {
    return slopegan::report_bug(error);
  }
}
