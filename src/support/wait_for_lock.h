#pragma once

#include <filesystem>

#include "support/files.h"

namespace slopegan {

/// The lock at `file` on `guarded`, for which it waits while another process has it. Throws IoError, and StoppedError
/// where a signal asks to stop.
FileLock wait_for_lock(const std::filesystem::path& file, const std::filesystem::path& guarded);

}  // namespace slopegan
