#pragma once

#include "run/run_info.h"

namespace slopegan {

/// Of this program and what it was built with.
Versions program_versions();

}  // namespace slopegan
