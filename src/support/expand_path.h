#pragma once

#include <string>
#include <string_view>

/// Paths as users write them in configurations and arguments, where no shell has expanded them.
namespace slopegan {

/// Replaces a leading ~ or ~/ with $HOME, and $NAME and ${NAME} with the environment variable. $$ stands for one dollar
/// sign; a $ before any other character is kept, and so is a tilde elsewhere (./~). Throws UsageError if a variable is
/// unset or empty.
std::string expand_path(std::string_view text);

/// Reads a path that a resolved configuration stores: $$ stands for $, and a leading ~/ is expanded if $HOME is set,
/// because version 0.9 stored it. Other text is kept, so that old files stay readable.
std::string expand_stored_path(std::string_view text);

/// The text from which expand_path and expand_stored_path return `path`: each $ is doubled. `path` must not start with
/// a tilde.
std::string unexpanded_path(std::string_view path);

}  // namespace slopegan
