#include "commands/config_arguments.h"

#include <sstream>

#include "config/load.h"
#include "config/validate.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

void ConfigArguments::declare(CLI::App& command) {
  command.add_option("config", file, "Configuration file (YAML)")->required()->type_name("CONFIG");
  command
      .add_option("overrides", overrides,
                  "Values that replace the file's, such as generator.negative_slope=0.1; --print-config of train lists "
                  "the keys")
      ->type_name("key=value");
}

static LoadedConfig load_and_warn(const ConfigArguments& arguments) {
  LoadedConfig loaded = load_config(arguments.file, arguments.overrides);
  for (const auto& warning : loaded.warnings) log::warning(warning);
  return loaded;
}

Config ConfigArguments::load() const { return load_and_warn(*this).config; }

/// `message` begins with the key that it is about.
static std::string with_place(const std::string& message, const LoadedConfig& loaded, const std::string& file) {
  const auto place = loaded.places.find(message.substr(0, message.find(' ')));
  return (place == loaded.places.end() ? printable(file, 4096) : place->second) + ": " + message;
}

Config ConfigArguments::load_for_sweep() const {
  const LoadedConfig loaded = load_and_warn(*this);
  try {
    for (const auto& warning : validate_sweep(loaded.config)) log::warning(with_place(warning, loaded, file));
  } catch (const UsageError& error) {
    std::vector<std::string> lines;
    std::istringstream text(error.what());
    for (std::string line; std::getline(text, line);) lines.push_back(with_place(line, loaded, file));
    throw UsageError(join(lines, "\n"));
  }
  return loaded.config;
}

}  // namespace slopegan
