#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "commands/command_model.h"
#include "commands/commands.h"
#include "commands/program.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/machine.h"
#include "support/out_of_memory.h"
#include "support/signals.h"
#include "support/text.h"

namespace {

using slopegan::Action;

struct Command {
  const char* name;
  const char* help;
  void (*setup)(CLI::App&, Action&);
  /// How to reduce the memory use of the command; the `remedy` of slopegan::explain.
  const char* memory_remedy = "use a smaller model or data set, or a machine with more memory";
};

constexpr std::array commands = {
    Command{"train", "Train one GAN and save it in a run directory", slopegan::setup_train},
    Command{"sweep", "Train one GAN for each negative slope and seed; run the same command again to resume",
            slopegan::setup_sweep},
    Command{"grid", "Draw the image grid of a run, or the slope contact sheet of a sweep", slopegan::setup_grid,
            "lower --rows, --columns, --scale, --walk or --pixel-ratio"},
    Command{"generate", "Write images from a trained generator, or a walk through its latent space",
            slopegan::setup_generate, "lower --count or --walk"},
    Command{"export", "Export the generator to ONNX, TorchScript or safetensors", slopegan::setup_export},
    Command{"import", "Create a run from weights trained by another program", slopegan::setup_import},
    Command{"report", "Write a self-contained report.html about a run or a sweep", slopegan::setup_report},
    Command{"data", "Describe a data set and draw a grid of its images", slopegan::setup_data},
    Command{"evaluate", "Compute metrics that compare a run, a checkpoint or a folder of images with real images",
            slopegan::setup_evaluate},
    Command{"diagnose", "Inspect the layers of a run: dead units, gradients, the discriminator's accuracy",
            slopegan::setup_diagnose, "lower --probes"},
    Command{"bench", "Benchmark the training step, the activation, inference or a sweep", slopegan::setup_bench,
            "lower training.batch_size, generator.width, discriminator.width or, for a sweep, --arms"},
    Command{"demo", "Compare theoretical predictions about the slope with measurements", slopegan::setup_demo},
    Command{"completion", "Print a completion script for bash or zsh", slopegan::setup_completion},
    Command{"man", "Print the manual page", slopegan::setup_man},
};

int run(int argc, char** argv) {
  CLI::App app("slopegan trains DCGANs and determines which negative slope to use for the Leaky ReLU.", "slopegan");
  slopegan::LogArguments log;
  Action action;
  slopegan::declare_globals(app, log);
  for (const auto& command : commands) {
    auto* subcommand = app.add_subcommand(command.name, command.help);
    subcommand->fallthrough();  // global options may follow the command
    command.setup(*subcommand, action);
    slopegan::expand_path_arguments(*subcommand);
  }
  const std::vector<std::string> arguments(argv, argv + argc);
  slopegan::log::init(slopegan::log_options_before_parsing(arguments));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return slopegan::finish_parsing(app, error, arguments);
  }
  slopegan::log::init(log.options());
  slopegan::configure_libraries();
  try {
    return action(arguments);
  } catch (const slopegan::Error&) {
    throw;
  } catch (const std::exception& error) {
    if (slopegan::is_out_of_threads(error)) throw slopegan::explain_thread_limit(error);
    if (!slopegan::is_out_of_memory(error)) throw;
    const auto* chosen = std::ranges::find_if(commands, [&](const Command& c) { return app.got_subcommand(c.name); });
    throw slopegan::explain(error, std::string("running slopegan ") + chosen->name, chosen->memory_remedy);
  }
}

}  // namespace

int main(int argc, char** argv) {
  slopegan::unbind_main_thread();
  slopegan::configure_allocator();
  slopegan::prepare_streams();
  try {
    return run(argc, argv);
  } catch (const slopegan::Error& error) {
    return slopegan::report_error(error);
  } catch (const std::filesystem::filesystem_error& error) {
    // For example, a path is too long or contains a loop of symlinks, or permission is denied.
    return slopegan::report_error(slopegan::IoError(slopegan::printable(error.what(), 8192)));
  } catch (const std::exception& error) {
    return slopegan::report_bug(error);
  }
}
