#include <filesystem>
#include <memory>

#include "commands/checkpoint_argument.h"
#include "commands/commands.h"
#include "commands/output.h"
#include "config/load.h"
#include "config/validate.h"
#include "experiments/sheets.h"
#include "images/png.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

struct GridArguments {
  std::string path;
  std::string out;
  int rows = 0;
  int columns = default_sheet_columns;
  std::int64_t seed = -1;
};

void write_and_say(const std::filesystem::path& file, const cv::Mat& picture) {
  write_png(file, picture);
  print(printable(file.string()) + "\n");
}

int sweep_grid(const GridArguments& arguments) {
  const std::filesystem::path directory = arguments.path;
  const Config config = load_config(directory / "sweep.yaml").config;
  validate_sweep(config);
  const auto seed = arguments.seed >= 0 ? arguments.seed : config.sweep.seeds.front();
  if (!arguments.out.empty()) {
    write_and_say(arguments.out, slope_contact_sheet(config, make_arms(config, directory), seed, arguments.columns));
    return static_cast<int>(ExitCode::done);
  }
  for (const auto& file : write_sweep_sheets(config, directory, seed, arguments.columns)) {
    print(printable(file.string()) + "\n");
  }
  return static_cast<int>(ExitCode::done);
}

int run_grid(const GridArguments& arguments) {
  const auto checkpoint = find_checkpoint(arguments.path);
  const bool whole_run = std::filesystem::is_directory(std::filesystem::path(arguments.path) / "checkpoints");
  const auto run_dir = checkpoint.directory.parent_path().parent_path();
  const std::string name = whole_run ? "grid.png" : "grid_" + checkpoint.directory.filename().string() + ".png";
  const auto file = arguments.out.empty() ? run_dir / name : std::filesystem::path(arguments.out);
  write_and_say(file, checkpoint_sheet(checkpoint, arguments.rows > 0 ? arguments.rows : 6, arguments.columns));
  return static_cast<int>(ExitCode::done);
}

int grid_command(const GridArguments& arguments) {
  if (std::filesystem::exists(std::filesystem::path(arguments.path) / "sweep.yaml")) {
    if (arguments.rows > 0) throw UsageError("--rows is for a run; the rows of a sweep are its slopes");
    return sweep_grid(arguments);
  }
  if (arguments.seed >= 0) throw UsageError("--seed is for a sweep; a run has one seed");
  return run_grid(arguments);
}

}  // namespace

void setup_grid(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<GridArguments>();
  command.add_option("path", arguments->path, "Directory of a run, a sweep or a checkpoint")
      ->required()
      ->type_name("RUN|SWEEP|CHECKPOINT");
  command
      .add_option("--out", arguments->out,
                  "Where the picture goes (default: grid.png in the run; contact_sheet.png and time_sheet.png in the "
                  "sweep)")
      ->type_name("FILE");
  command.add_option("--rows", arguments->rows, "Rows of generated images of a run (default: 6)")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  command.add_option("--columns", arguments->columns, "Latents, one a column")
      ->capture_default_str()
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  command.add_option("--seed", arguments->seed, "The seed of a sweep to show (default: its first)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("S");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return grid_command(*arguments); };
  });
}

}  // namespace slopegan
