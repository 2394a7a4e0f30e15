#pragma once

#include <filesystem>

#include "support/files.h"

/// The cache for data that is computed once and shared by all runs. It may be deleted while the program is not running.
namespace slopegan {

/// Returns $SLOPEGAN_CACHE if it is set; otherwise $XDG_CACHE_HOME/slopegan or $HOME/.cache/slopegan if the variable is
/// an absolute path; otherwise slopegan-cache in the system's temporary directory.
std::filesystem::path cache_dir();

/// Acquires the exclusive right to create `file` in the cache, and creates its directory. Waits while another process
/// holds that right. Throws IoError if the directory is not writable, and StoppedError if a signal asks the process to
/// stop.
FileLock wait_for_cache_lock(const std::filesystem::path& file);

/// Replaces a leading ~/ in `path` with $HOME if $HOME is an absolute path.
std::filesystem::path expand_home(const std::filesystem::path& path);

}  // namespace slopegan
