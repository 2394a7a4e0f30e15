#include "sampling/generate.h"

#include <memory>
#include <string>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "run/checkpoint.h"
#include "support/errors.h"
#include "support/posix_file.h"
#include "support/signals.h"

namespace slopegan {

namespace {

struct GenerateArguments {
  std::string path;
  std::string out;
  std::int64_t seed = -1;
  GenerateOptions options;
};

int run_generate(const GenerateArguments& arguments) {
  GenerateOptions options = arguments.options;
  options.out = arguments.out;
  if (options.out.empty()) throw UsageError("--out must name a directory, or a file with extension .npz, .png or .gif");
  if (arguments.seed >= 0) options.seed = arguments.seed;
  install_signal_handlers();
  generate_files(find_checkpoint(arguments.path), options);
  print(display(options.out.has_filename() ? options.out : options.out.parent_path()) + "\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_generate(CLI::App& command, Action& action) {
  constexpr std::int64_t most_images = 1'000'000'000, most_frames = 10'000;
  const auto arguments = std::make_shared<GenerateArguments>();
  declare_checkpoint(command, arguments->path);
  add_integer(command, "--count", arguments->options.count,
              "Number of images; with --walk, the number of latents to visit")
      ->required()
      ->check(CLI::Range(std::int64_t{1}, most_images))
      ->type_name("N");
  command
      .add_option("--out", arguments->out,
                  "Directory for PNG files; or one file: NAME.npz (arr_0: uint8, N x H x W x C), NAME.png for one "
                  "image, or NAME.gif for a walk")
      ->required()
      ->type_name("DIR|FILE");
  add_integer(command, "--seed", arguments->seed, "Seed for the latents (default: the run's seed)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("S");
  add_integer(command, "--walk", arguments->options.walk_steps,
              "Interpolate on the sphere from each latent to the next, and from the last one to the first, with FRAMES "
              "frames per latent")
      ->check(CLI::Range(std::int64_t{1}, most_frames))
      ->type_name("FRAMES");
  command.add_flag("--overwrite", arguments->options.overwrite, "Overwrite existing files");
  command.footer(
      "Generates images with the averaged generator in float32. The same seed gives the same images for any N.");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return run_generate(*arguments); };
  });
}

}  // namespace slopegan
