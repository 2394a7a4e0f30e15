#pragma once

#include <string_view>

#include "config/fields.h"
#include "config/read_value.h"

namespace slopegan {

/// The planned key of that name, or null.
const PlannedKey* find_planned(std::string_view key);

/// Appends an issue where `node` asks for what this version lacks, or has the wrong type.
void check_planned(const PlannedKey& planned, const YamlNode& node, Issues& issues);

}  // namespace slopegan
