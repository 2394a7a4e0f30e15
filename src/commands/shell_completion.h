#pragma once

#include <string>

#include "commands/command_model.h"

/// Programs for shells that complete commands, options, their values, configuration files, keys and values of keys. The
/// global options are offered behind every command, as they may stand there.
namespace slopegan {

/// For bash 4.4 or newer; needs nothing else.
std::string bash_completion(const CommandModel& program);

/// For zsh 5: the file _slopegan in a folder of $fpath, or sourced after compinit.
std::string zsh_completion(const CommandModel& program);

}  // namespace slopegan
