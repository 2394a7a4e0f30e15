#pragma once

#include <string>
#include <string_view>

/// Paths as users write them in configurations and arguments, without expansion by a shell.
namespace slopegan {

/// Replaces a leading ~ or ~/ with $HOME, and $NAME and ${NAME} with the environment variable. $$ stands for one dollar
/// sign; a $ before any other character is kept, and so is a tilde elsewhere (./~). Throws UsageError if a variable is
/// unset or empty.
std::string expand_path(std::string_view text);

/// Reads a path stored in a resolved configuration: $$ stands for $, and a leading ~/ is expanded if $HOME is set,
/// because version 0.9 stored it. Any other text is kept, so that old files remain readable.
std::string expand_stored_path(std::string_view text);

/// The text from which expand_path and expand_stored_path obtain `path`: the path with each $ doubled. `path` must not
/// start with a tilde.
std::string unexpanded_path(std::string_view path);

}  // namespace slopegan
