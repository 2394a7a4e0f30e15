#include <filesystem>
#include <memory>
#include <string>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "demo/dying_relu.h"
#include "images/image_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace slopegan {

namespace {

struct DyingReluArguments {
  std::string out = "outputs/dying_relu.png";
  std::uint64_t seed = dying_relu_seed;
  PictureStyle style;
};

int run_dying_relu(const DyingReluArguments& arguments) {
  const auto demo = measure_dying_relu(arguments.seed);
  print(prediction_table(demo.predictions));
  const std::filesystem::path out = arguments.out;
  make_parent_directories(out);
  write_png(out, draw_dying_relu(demo, arguments.style));
  print("plot: " + display(out) + "\n");
  check_predictions(demo, arguments.seed);
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_demo(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<DyingReluArguments>();
  command.require_subcommand(1);
  auto* dying_relu = command.add_subcommand(
      "dying-relu",
      "Show how ReLU units die and how a slope keeps them alive, with predictions and measurements (takes a few "
      "seconds)");
  dying_relu->add_option("--out", arguments->out, "Output file for the plot")->capture_default_str()->type_name("FILE");
  add_integer(*dying_relu, "--seed", arguments->seed, "Seed for the random weights")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber)
      ->type_name("S");
  declare_picture_style(*dying_relu, arguments->style);
  dying_relu->callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return run_dying_relu(*arguments); };
  });
}

}  // namespace slopegan
