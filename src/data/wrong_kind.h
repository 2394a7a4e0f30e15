#pragma once

#include <filesystem>
#include <string>

#include "config/config.h"

namespace slopegan {

/// Says what `path` is if it is not data of this kind: data of another kind, or something that has to be unpacked or
/// converted first. Empty if that is not known, or if it may be of this kind.
std::string wrong_kind_message(DatasetKind kind, const std::filesystem::path& path);

}  // namespace slopegan
