#include "commands/config_arguments.h"

#include "config/load.h"
#include "support/log.h"

namespace slopegan {

void ConfigArguments::declare(CLI::App& command) {
  command.add_option("config", file, "Configuration file (YAML)")->required()->type_name("CONFIG");
  command
      .add_option("overrides", overrides,
                  "Values that replace the file's, such as generator.negative_slope=0.1; --print-config of train lists "
                  "the keys")
      ->type_name("key=value");
}

Config ConfigArguments::load() const {
  const LoadedConfig loaded = load_config(file, overrides);
  for (const auto& warning : loaded.warnings) log::warning(warning);
  return loaded.config;
}

}  // namespace slopegan
