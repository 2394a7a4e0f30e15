#pragma once

#include <filesystem>

#include "support/files.h"

/// The place for what is made once from data and serves every run. It may be deleted whenever no program runs.
namespace slopegan {

/// $SLOPEGAN_CACHE, or slopegan in $XDG_CACHE_HOME, or .cache/slopegan in $HOME, or slopegan-cache in the system's
/// folder for temporary files.
std::filesystem::path cache_dir();

/// The right to make `file` in the cache, whose directory is created where it is missing. Waits while another process
/// has it. Throws IoError where the place cannot be written, and StoppedError where a signal asks to stop.
FileLock wait_for_cache_lock(const std::filesystem::path& file);

/// `path` with a leading ~/ replaced by the user's home directory, where $HOME names one.
std::filesystem::path expand_home(const std::filesystem::path& path);

}  // namespace slopegan
