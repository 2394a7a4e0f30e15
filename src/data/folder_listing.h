#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

/// Which files of a directory are images.
namespace slopegan {

/// The images below a directory, and what else lies there.
struct FolderListing {
  std::vector<std::filesystem::path> files;  ///< images, relative to the directory, sorted
  std::map<std::string, std::size_t> other;  ///< number of files that are not images, by lower-case ending
  std::set<std::string> left_by_programs;    ///< names of hidden entries, thumbnails, recycle bins, …
  std::vector<std::string> notes;            ///< one line each on links that were followed and the two above
  std::vector<std::string> warnings;         ///< one line each on what could not be listed
};

/// Lists `directory` and its subdirectories. A file is an image if its content is of a format in images/image_file.h,
/// whatever its name; files that are named as images but have other content are listed too, because they are damaged.
/// Links to directories are followed, each real directory is listed once, and links to a directory that contains them
/// are not followed. Hidden files and what operating systems and programs leave is skipped. Throws DataError if
/// `directory` itself cannot be listed.
FolderListing list_images(const std::filesystem::path& directory);

/// "12 files are not read: .heic 10, .avif 2", or an empty string if there are no other files.
std::string other_files_text(const FolderListing& listing);

/// As list_images, but throws DataError if there are no images; the message says what there is instead.
FolderListing list_some_images(const std::filesystem::path& directory);

/// The files of list_some_images(directory).
std::vector<std::filesystem::path> image_files(const std::filesystem::path& directory);

/// Whether there is an image in `directory` itself, or with `below` in its subdirectories. Stops at the first one.
bool holds_images(const std::filesystem::path& directory, bool below);

/// The names of the subdirectories and links to directories, sorted, without those that list_images skips. Empty if the
/// directory cannot be listed.
std::vector<std::string> subdirectories(const std::filesystem::path& directory);

/// Converts ASCII letters.
std::string lower_case(std::string text);

/// "a, b, c, ... (12)": at most `most` of the names, printable.
std::string names_text(const std::vector<std::string>& names, std::size_t most = 10);

}  // namespace slopegan
