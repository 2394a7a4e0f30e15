#pragma once

#include <string>
#include <string_view>

/// Expands ~ and environment variables in paths from configurations and arguments, which a shell may not have expanded.
namespace slopegan {

/// Replaces a leading ~, alone or before a slash, with $HOME, and $NAME and ${NAME} with the value of the environment
/// variable. $$ stands for one dollar sign; a $ before any other character is kept, and so is a tilde elsewhere (./~).
/// Throws UsageError if a variable is unset or empty, or if ${ is not followed by a variable name and }.
std::string expand_path(std::string_view text);

/// Expands a path stored in a resolved configuration: $$ stands for $, and a leading ~ or ~/ is expanded if $HOME is
/// set, because version 0.9 stored such paths. Any other text is kept, so that old files remain readable.
std::string expand_stored_path(std::string_view text);

/// The text that expand_path and expand_stored_path expand to `path`: the path with each $ doubled. `path` must not
/// start with a tilde.
std::string unexpanded_path(std::string_view path);

}  // namespace slopegan
