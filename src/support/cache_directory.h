#pragma once

#include <filesystem>
#include <string>

#include "support/errors.h"
#include "support/file_lock.h"
#include "support/files.h"

/// The cache for data that is computed once and shared by all runs, and by several users if they can write to its
/// directory. Delete it only while the program is not running and no sweep is unfinished, because the arms of a sweep
/// must share a feature extractor (evaluation/cache.h). support/cache_contents.h lists its contents.
namespace slopegan {

/// Returns $SLOPEGAN_CACHE if it is set; otherwise $XDG_CACHE_HOME/slopegan if $XDG_CACHE_HOME is an absolute path;
/// otherwise $HOME/.cache/slopegan if $HOME is an absolute path; otherwise slopegan-cache in the system's temporary
/// directory.
std::filesystem::path cache_dir();

/// Acquires the exclusive right to create `file` in the cache, and creates its directory. Waits while another process
/// holds that right. Throws IoError if the directory is not writable, and StoppedError if a signal asks the process to
/// stop.
FileLock wait_for_cache_lock(const std::filesystem::path& file);

/// Like wait_for_cache_lock, but does not wait: throws BusyError if another process holds that right.
FileLock try_cache_lock(const std::filesystem::path& file);

/// Gives `path`, a new file or directory in the cache, the permissions that its directory has for group and others,
/// regardless of the umask, so that every user who may write to the directory may use `path`. Does nothing if another
/// user owns `path`.
void follow_directory_mode(const std::filesystem::path& path);

/// Records that `file` in the cache has just been used, and that it was made from the file or directory `source`. Does
/// nothing if the cache is not writable, or if `source` is empty or contains a line break.
void note_cache_use(const std::filesystem::path& file, const std::filesystem::path& source);

/// Returns the file in which note_cache_use records the use of `file`. It contains the paths of the sources, one per
/// line, and its modification time is the time of the last use.
std::filesystem::path cache_record(const std::filesystem::path& file);

/// Returns an IoError with the message "<action>: <message of error>; set SLOPEGAN_CACHE to use another directory for
/// the cache".
IoError cache_error(const std::string& action, const IoError& error);

}  // namespace slopegan
