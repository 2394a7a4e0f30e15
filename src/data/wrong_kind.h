#pragma once

#include <filesystem>
#include <string>

#include "config/config.h"

namespace slopegan {

/// Returns a message that says what `path` contains if it is not data of this kind: data of a different kind, or
/// something that must be unpacked or converted first. The message is empty if the content is not recognised, or if
/// `path` may be data of this kind.
std::string wrong_kind_message(DatasetKind kind, const std::filesystem::path& path);

}  // namespace slopegan
