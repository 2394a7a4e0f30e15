#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

/// Finds the image files in a directory.
namespace slopegan {

/// The images below a directory, and what else it contains.
struct FolderListing {
  std::vector<std::filesystem::path> files;  ///< images, relative to the directory, sorted
  bool has_bmp_or_tiff = false;              ///< at least one of them is a BMP or TIFF file
  std::map<std::string, std::size_t> other;  ///< number of files that are not images, by lower-case extension
  bool has_heic_or_avif = false;             ///< at least one of these is a HEIC or AVIF file
  std::set<std::string> left_by_programs;    ///< names of hidden entries, thumbnails, recycle bins, …
  std::vector<std::string> own_outputs;      ///< directories that are runs or sweeps of this program, not listed
  std::vector<std::string> notes;            ///< one line each about symlinks, other, left_by_programs and own_outputs
  std::vector<std::string> warnings;         ///< one line each about broken symlinks and unlisted directories
};

/// Lists `directory` and its subdirectories. A file is an image if sniff_file (images/image_file.h) detects its format.
/// A file that is named like an image but has no known format is listed too, because it is probably damaged. Symlinks
/// to directories are followed, except to a directory that contains the symlink, and each real directory is listed
/// once. Hidden files, files left behind by operating systems and other programs, and subdirectories that are runs or
/// sweeps of this program are skipped. Throws DataError if `directory` itself cannot be listed.
FolderListing list_images(const std::filesystem::path& directory);

/// Whether the directory is a run or a sweep of this program, even one that has just started. Its pictures are not part
/// of a data set. config.yaml alone is not sufficient, because it may belong to another program.
bool is_own_output(const std::filesystem::path& directory);

/// Whether the file is a HEIC or AVIF image, regardless of its name.
bool is_heic_or_avif(const std::filesystem::path& file);

/// Like list_images, but throws DataError if there are no images; the message lists what the directory contains
/// instead.
FolderListing list_some_images(const std::filesystem::path& directory);

/// Whether there is an image in `directory` itself or, if `below` is true, in the subdirectories that list_images does
/// not skip. Stops at the first image.
bool holds_images(const std::filesystem::path& directory, bool below);

/// The sorted names of the subdirectories and of symlinks to directories, without those that list_images skips. Empty
/// if the directory cannot be listed.
std::vector<std::string> subdirectories(const std::filesystem::path& directory);

/// "a, b, c, and 9 more": at most `most` of the names, printable.
std::string names_text(const std::vector<std::string>& names, std::size_t most = 10);

}  // namespace slopegan
