#pragma once

#include <string>

#include "commands/command_model.h"

namespace slopegan {

/// slopegan(1) as roff with the man(7) macros: commands, options, configuration keys, exit codes, environment, files.
std::string man_page(const CommandModel& program, const std::string& version);

}  // namespace slopegan
