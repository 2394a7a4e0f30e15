#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "config/validate.h"
#include "run/checkpoint.h"
#include "sheets/animations.h"
#include "sheets/sheet_parts.h"
#include "sheets/sheets.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/signals.h"
#include "support/text.h"
#include "sweep/sweep.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;

struct GridArguments {
  std::string path;
  std::string data;
  std::string out;
  int rows = 0;
  std::optional<int> columns;
  int scale = 0;
  std::int64_t seed = -1;
  bool by_class = false;
  std::string difference;  // "A,B"
  bool animate = false;
  PictureStyle style;
  int walk = 0;  // steps between two latents; 0: no walk

  int latents() const { return columns.value_or(default_sheet_columns); }
};

void print_files(const std::vector<fs::path>& files) {
  for (const auto& file : files) print(display(file) + "\n");
}

/// Returns the file named by --out, and creates its missing parent directories. Without --out, returns `name`, with a
/// suffix for the picture style, in the directory of the run or sweep.
fs::path output_file(const GridArguments& arguments, const fs::path& directory, const std::string& name) {
  const auto ending = fs::path(name).extension();
  if (arguments.out.empty()) {
    return directory / (fs::path(name).replace_extension().string() + name_suffix(arguments.style) + ending.string());
  }
  const fs::path out = arguments.out;
  if (out.extension() != ending) throw UsageError("--out must have the extension " + ending.string());
  make_parent_directories(out);
  return out;
}

/// Writes the sheet to the file from output_file(). Without --out, removes the pages of an earlier, longer sheet.
std::vector<fs::path> write_pages(const GridArguments& arguments, const fs::path& file, const Sheet& sheet,
                                  const SheetStyle& style) {
  return arguments.out.empty() ? replace_sheet(file, sheet, style) : write_sheet(file, sheet, style);
}

double parse_slope(std::string_view text) {
  if (const auto slope = parse_as<double>(text)) return *slope;
  throw UsageError("--difference takes two slopes of the sweep, such as 0,0.2");
}

std::pair<double, double> parse_difference(const std::string& text) {
  const auto comma = text.find(',');
  if (comma == std::string::npos) parse_slope("");
  const std::string_view all = text;
  return {parse_slope(all.substr(0, comma)), parse_slope(all.substr(comma + 1))};
}

void check_choices(const GridArguments& arguments, bool sweep) {
  const bool still = arguments.by_class || !arguments.difference.empty();
  if (still && (arguments.animate || arguments.walk > 0)) {
    throw UsageError("--by-class and --difference cannot be combined with --animate or --walk");
  }
  if (arguments.by_class && !arguments.difference.empty())
    throw UsageError("--by-class cannot be combined with --difference");
  if (sweep && arguments.rows > 0) throw UsageError("--rows applies to a run; the rows of a sweep are its slopes");
  if (!sweep && arguments.rows > 0 && arguments.by_class)
    throw UsageError("--rows cannot be combined with --by-class, which draws one row per class");
  if (arguments.columns && arguments.walk > 0 && !arguments.animate)
    throw UsageError("--columns cannot be combined with --walk, except with --animate; --walk sets the columns");
  if (arguments.columns && sweep && arguments.by_class)
    throw UsageError("--columns cannot be combined with --by-class for a sweep; --by-class draws one column per class");
  if (!sweep && arguments.seed >= 0) throw UsageError("--seed applies to a sweep; a run has a single seed");
  if (!sweep && !arguments.difference.empty()) throw UsageError("--difference applies to a sweep");
}

int sweep_grid(const GridArguments& arguments) {
  const fs::path directory = arguments.path;
  Config config = load_sweep(directory);
  if (!arguments.data.empty()) config.data.path = arguments.data;
  validate_sweep(config);
  const auto arms = make_arms(config, directory);
  const auto seed = arguments.seed >= 0 ? arguments.seed : config.sweep.seeds.front();
  const SheetStyle style = sweep_style(arguments.scale, arguments.style);
  if (arguments.animate) {
    const auto file = output_file(arguments, directory, arguments.walk > 0 ? "walk.gif" : "training.gif");
    if (arguments.walk > 0) {
      animate_slope_walk(file, config, arms, seed, arguments.latents(), arguments.walk, style);
    } else {
      animate_slope_training(file, config, arms, seed, arguments.latents(), style);
    }
    print_files({file});
  } else if (arguments.walk > 0) {
    const auto file = output_file(arguments, directory, "walk.png");
    print_files(write_pages(arguments, file, slope_walk_sheet(config, arms, seed, arguments.walk + 1), style));
  } else if (arguments.by_class) {
    const auto file = output_file(arguments, directory, "by_class.png");
    print_files(write_pages(arguments, file, slope_class_sheet(config, arms, seed), style));
  } else if (!arguments.difference.empty()) {
    const auto [first, second] = parse_difference(arguments.difference);
    const auto name = "difference_" + shortest(first) + "_" + shortest(second) + ".png";
    const auto sheet = slope_difference_sheet(config, arms, seed, arguments.latents(), first, second);
    print_files(write_pages(arguments, output_file(arguments, directory, name), sheet, style));
  } else if (!arguments.out.empty()) {
    const auto file = output_file(arguments, directory, "contact_sheet.png");
    print_files(write_sheet(file, slope_contact_sheet(config, arms, seed, arguments.latents()), style));
  } else {
    print_files(write_sweep_sheets(config, directory, seed, arguments.latents(), arguments.scale, arguments.style));
  }
  return static_cast<int>(ExitCode::done);
}

/// The grids of a run or of one of its checkpoints.
class RunGrid {
 public:
  explicit RunGrid(const GridArguments& arguments)
      : arguments_(arguments),
        whole_run_(fs::is_directory(fs::path(arguments.path) / "checkpoints")),
        checkpoint_(find_checkpoint(arguments.path, arguments.data)),
        style_{.scale = arguments.scale, .picture = arguments.style} {}

  int draw() const {
    if (arguments_.animate && arguments_.walk > 0) {
      const auto file = output("walk", ".gif");
      animate_walk(file, checkpoint_, rows(4), arguments_.latents(), arguments_.walk, style_);
      print_files({file});
    } else if (arguments_.animate) {
      if (!whole_run_) throw UsageError("--animate needs a run; a checkpoint is a single point in time");
      const auto file = output("training", ".gif");
      animate_training(file, checkpoint_config(checkpoint_), RunPaths(arguments_.path), rows(6), arguments_.latents(),
                       style_);
      print_files({file});
    } else if (arguments_.walk > 0) {
      write("walk", walk_sheet(checkpoint_, rows(6), arguments_.walk + 1));
    } else if (arguments_.by_class) {
      write("by_class", class_sheet(checkpoint_, arguments_.latents()));
    } else {
      write("grid", checkpoint_sheet(checkpoint_, rows(6), arguments_.latents()));
    }
    return static_cast<int>(ExitCode::done);
  }

 private:
  void write(const std::string& name, const Sheet& sheet) const {
    print_files(write_pages(arguments_, output(name, ".png"), sheet, style_));
  }
  int rows(int usual) const { return arguments_.rows > 0 ? arguments_.rows : usual; }
  fs::path output(const std::string& name, const std::string& ending) const {
    const auto& directory = checkpoint_.directory;
    const auto moment = whole_run_ ? "" : "_" + directory.filename().string();
    return output_file(arguments_, directory.parent_path().parent_path(), name + moment + ending);
  }

  const GridArguments& arguments_;
  bool whole_run_;
  Checkpoint checkpoint_;
  SheetStyle style_;
};

int grid_command(const GridArguments& arguments) {
  const bool sweep = fs::exists(fs::path(arguments.path) / "sweep.yaml");
  check_choices(arguments, sweep);
  install_signal_handlers();
  return sweep ? sweep_grid(arguments) : RunGrid(arguments).draw();
}

void declare_layout(CLI::App& command, GridArguments& arguments) {
  add_integer(command, "--rows", arguments.rows,
              "Rows of generated images, for a run (default: 6, or 4 for an animated walk); tall grids are split "
              "into pages")
      ->check(CLI::Range(1, 10'000))
      ->type_name("N");
  add_integer(command, "--columns", arguments.columns,
              format_text("Number of latents, one per column (default: {})", default_sheet_columns))
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  add_integer(command, "--scale", arguments.scale,
              "Enlarge images by an integer factor (default: to at least 64 pixels)")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  declare_picture_style(command, arguments.style);
  add_integer(command, "--seed", arguments.seed, "Seed to show, for a sweep (default: the first)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("S");
}

void declare_views(CLI::App& command, GridArguments& arguments) {
  command.add_flag("--by-class", arguments.by_class,
                   "Sort images by the class that a classifier predicts; for a sweep, one column per class");
  command
      .add_option("--difference", arguments.difference,
                  "Show the difference between the images at two slopes of a sweep, such as 0,0.2")
      ->type_name("A,B");
  command.add_flag("--animate", arguments.animate,
                   "Write a GIF that shows the course of training; with --walk, a GIF of the walk");
  add_integer(command, "--walk", arguments.walk,
              "Interpolate on the sphere between latents in N steps; for a sweep, the same walk at every slope")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
}

}  // namespace

void setup_grid(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<GridArguments>();
  command.add_option("path", arguments->path, "Directory of a run, a sweep or a checkpoint")
      ->required()
      ->type_name("RUN|SWEEP|CHECKPOINT");
  declare_data(command, arguments->data);
  command
      .add_option("--out", arguments->out,
                  "Output file for the picture (default: grid.png in the run; contact_sheet.png and time_sheet.png in "
                  "the sweep; other views have their own names)")
      ->type_name("FILE");
  declare_layout(command, *arguments);
  declare_views(command, *arguments);
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return grid_command(*arguments); };
  });
}

}  // namespace slopegan
