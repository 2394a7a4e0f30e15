#include "commands/arguments.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include <CLI/Error.hpp>

#include "config/print.h"
#include "config/read_value.h"
#include "run/checkpoint.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

void ConfigArguments::declare(CLI::App& command) {
  command.add_option("config", file, "Configuration file (YAML)")->required()->type_name("CONFIG");
  command
      .add_option(
          "overrides", overrides,
          "Override keys in the file, such as generator.negative_slope=0.1; 'slopegan train CONFIG --print-config' "
          "lists the keys")
      ->type_name("key=value");
}

static LoadedConfig with_logged_warnings(LoadedConfig loaded) {
  for (const auto& warning : loaded.warnings) log::warning(warning);
  return loaded;
}

LoadedConfig ConfigArguments::load_with_places() const { return with_logged_warnings(load_config(file, overrides)); }

LoadedConfig ConfigArguments::load_stored() const { return with_logged_warnings(load_stored_config(file, overrides)); }

LoadedConfig ConfigArguments::load_for_sweep() const {
  return with_logged_warnings(load_config_for_sweep(file, overrides));
}

std::string decimal_integer(const std::string& text) {
  if (const auto value = parse_whole_number(text)) return std::to_string(*value);
  throw CLI::ValidationError(printable(text) + " is not a whole number in decimal notation, or has too many digits");
}

void declare_checkpoint(CLI::App& command, std::string& path) {
  command.add_option("path", path, "Directory of a run (its newest checkpoint is used) or of a checkpoint")
      ->required()
      ->type_name("RUN|CHECKPOINT");
}

void declare_data(CLI::App& command, std::string& data) {
  command.add_option("--data", data, "Current path of the data set (default: the run's data.path)")->type_name("PATH");
}

void declare_picture_style(CLI::App& command, PictureStyle& style) {
  command.add_flag("--dark", style.dark, "Draw light text on a dark background");
  add_integer(command, "--pixel-ratio", style.pixel_ratio,
              "Draw everything, including text, N times as large; 2 looks sharp on high-density screens and in print")
      ->capture_default_str()
      ->check(CLI::Range(1, 4))
      ->type_name("N");
}

static Checkpoint find_checkpoint_in(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path / "checkpoints")) return load_checkpoint(resolve_checkpoint(path));
  auto checkpoint = load_newest(path / "checkpoints");
  if (!checkpoint) throw CheckpointError(display(path) + " has no checkpoint yet");
  return std::move(*checkpoint);
}

Checkpoint find_checkpoint(const std::filesystem::path& path, const std::string& data) {
  Checkpoint checkpoint = find_checkpoint_in(path);
  if (data.empty()) return checkpoint;
  Config config = checkpoint_config(checkpoint);
  config.data.path = data;
  checkpoint.info.config_yaml = to_yaml(config);
  checkpoint.info.data_path.clear();  // no fallback: if `data` does not exist, loading it fails
  return checkpoint;
}

void print(const std::string& text) {
  // Callers already pass untrusted names through printable(). This is a last safeguard for the terminal.
  if (std::fputs(printable_lines(text).c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    if (errno == EPIPE) return;  // the reader closed the pipe
    throw IoError("cannot write the results to stdout");
  }
}

}  // namespace slopegan
