#pragma once

#include <filesystem>
#include <string>

#include "config/config.h"

namespace slopegan {

/// Says what `path` is if it is not data of this kind: data of another kind, or something that must be unpacked or
/// converted first. Returns an empty string if this is unknown, or if `path` may be data of this kind.
std::string wrong_kind_message(DatasetKind kind, const std::filesystem::path& path);

}  // namespace slopegan
