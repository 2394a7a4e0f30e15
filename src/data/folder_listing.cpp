#include "data/folder_listing.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <sys/stat.h>
#include <utility>

#include "images/image_file.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

bool is_left_by_programs(const std::string& name) {
  static const std::set<std::string, std::less<>> names = {
      "thumbs.db",    "ehthumbs.db", "desktop.ini", "icon\r",      "__macosx",
      "lost+found",   "@eadir",      "#recycle",    "#snapshot",   "@recycle",
      "$recycle.bin", "recycler",    "@__thumb",    "__pycache__", "system volume information",
      "@tmp"};
  return name.starts_with('.') || names.contains(lower_case(name));
}

}  // namespace

bool is_own_output(const fs::path& directory) {
  std::error_code ignored;
  const auto has = [&](const char* name) { return fs::exists(directory / name, ignored); };
  const bool is_run = has("overrides.yaml") && has("config.yaml") && (has("checkpoints") || has("run.json"));
  return is_run || (has("sweep.yaml") && (has("runs") || has("statistics.json") || has("results.csv")));
}

namespace {

/// The brands in the ftyp box with which an AVIF, HEIC or video file begins: the major brand, then as many compatible
/// brands as `first_bytes` contains. Empty for other files.
std::vector<std::string> brands_of(const std::string& first_bytes) {
  if (first_bytes.size() < 12 || first_bytes.substr(4, 4) != "ftyp") return {};
  const auto box_size = static_cast<std::size_t>(big_endian(first_bytes.substr(0, 4)));
  std::vector<std::string> brands = {first_bytes.substr(8, 4)};
  for (std::size_t at = 16; at + 4 <= std::min(first_bytes.size(), box_size); at += 4) {
    brands.push_back(first_bytes.substr(at, 4));
  }
  return brands;
}

/// The format of an AVIF, HEIC or video file; "" for other files. Phones and websites often name such files .jpg. They
/// are intact, but their format is not supported.
std::string unsupported_format(const fs::path& file) {
  static const std::set<std::string> avif = {"avif", "avis"};
  // mif1 and msf1 denote HEIF files with any codec. They are common in AVIF files too, together with an AVIF brand.
  static const std::set<std::string> heic = {"heic", "heix", "heim", "heis", "hevc",
                                             "hevx", "hevm", "hevs", "mif1", "msf1"};
  const auto brands = brands_of(read_first_bytes(file));
  const auto has_any_of = [&](const std::set<std::string>& known) {
    return std::any_of(brands.begin(), brands.end(), [&](const auto& brand) { return known.contains(brand); });
  };
  if (brands.empty()) return "";
  return has_any_of(avif) ? "AVIF" : has_any_of(heic) ? "HEIC" : "a video";
}

enum class FileKind { image, damaged, other };

/// `format` is the result of sniff_file.
FileKind kind_of_file(const fs::path& file, std::optional<ImageFormat> format) {
  if (format) return FileKind::image;
  return has_image_extension(file) && unsupported_format(file).empty() ? FileKind::damaged : FileKind::other;
}

/// The key in FolderListing::other under which a file that is not read is counted.
std::string ending_of(const fs::path& file) {
  const std::string ending = lower_case(file.extension().string());
  if (has_image_extension(file)) return printable(ending) + " (actually " + unsupported_format(file) + ")";
  return ending.empty() ? "without extension" : printable(ending, 20);
}

/// "12 other files are not read: 10 .txt, 2 .mov", or an empty string if there are no other files. If there are HEIC or
/// AVIF files, the text says how to convert them.
std::string other_files_text(const FolderListing& listing) {
  std::vector<std::pair<std::string, std::size_t>> kinds(listing.other.begin(), listing.other.end());
  std::stable_sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  constexpr std::size_t most_kinds = 10;
  std::size_t count = 0;
  std::vector<std::string> parts;
  for (const auto& [ending, files] : kinds) {
    count += files;
    if (parts.size() < most_kinds) parts.push_back(format_text("{} {}", files, ending));
  }
  if (kinds.size() > most_kinds) {
    const std::size_t more = kinds.size() - most_kinds;
    parts.push_back(format_text("and {} more extension{}", more, plural_s(more)));
  }
  if (count == 0) return "";
  return format_text("{}{}: ", count, count == 1 ? " other file is not read" : " other files are not read") +
         join(parts, ", ") +
         (listing.has_heic_or_avif ? "; to use HEIC and AVIF images, convert them to JPEG first, for example with "
                                     "heif-convert"
                                   : "");
}

/// Identifies a real directory, regardless of the symlinks that lead to it.
using DirectoryId = std::pair<dev_t, ino_t>;

std::optional<DirectoryId> identify(const fs::path& directory) {
  struct stat status{};
  if (::stat(directory.c_str(), &status) != 0) return std::nullopt;
  return DirectoryId{status.st_dev, status.st_ino};
}

/// Lists real directories first, then those reached through symlinks, so that a symlink to a directory within the
/// folder does not change the listing.
class FolderWalk {
 public:
  explicit FolderWalk(const fs::path& directory) : root_(directory) {}

  FolderListing run() {
    list(fs::path(), /*is_root=*/true);
    while (!links_.empty()) {
      const fs::path link = links_.front();
      links_.pop_front();
      follow(link);
    }
    std::sort(listing_.files.begin(), listing_.files.end());
    add_lines();
    return std::move(listing_);
  }

 private:
  /// `directory` is relative to the root.
  void list(const fs::path& directory, bool is_root = false) {
    const fs::path path = is_root ? root_ : root_ / directory;
    if (const auto id = identify(path); id && !visited_.insert(*id).second) return;
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    fs::directory_iterator entry(path, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) entries.push_back(*entry);
    if (error) {
      const std::string message = "cannot list " + printable(path.string()) + ": " + error.message();
      if (is_root) throw DataError(message);
      unlisted_.push_back(message);
    }
    std::sort(entries.begin(), entries.end());
    for (const auto& found : entries) add(found, directory / found.path().filename());
  }

  void add(const fs::directory_entry& entry, const fs::path& name) {
    std::error_code error;
    if (is_left_by_programs(name.filename().string())) {
      listing_.left_by_programs.insert(name.filename().string());
    } else if (entry.is_directory(error)) {
      if (is_own_output(root_ / name)) {
        listing_.own_outputs.push_back(name.string());
      } else if (entry.is_symlink(error)) {
        links_.push_back(name);
      } else {
        list(name);
      }
    } else if (entry.is_regular_file(error)) {
      add_file(name);
    } else if (entry.is_symlink(error) && !entry.exists(error)) {
      broken_links_.push_back(name.string());
    } else {
      ++listing_.other["of a special type"];
    }
  }

  void add_file(const fs::path& name) {
    const auto format = sniff_file(root_ / name);
    if (format == ImageFormat::bmp || format == ImageFormat::tiff) listing_.has_bmp_or_tiff = true;
    if (kind_of_file(root_ / name, format) != FileKind::other) {
      listing_.files.push_back(name);
    } else {
      ++listing_.other[ending_of(root_ / name)];
      listing_.has_heic_or_avif = listing_.has_heic_or_avif || is_heic_or_avif(root_ / name);
    }
  }

  void follow(const fs::path& link) {
    std::error_code error;
    const fs::path target = fs::canonical(root_ / link, error);
    const fs::path place = fs::canonical((root_ / link).parent_path(), error);
    const auto id = identify(root_ / link);
    if ((!error && is_within(place, target)) || (id && visited_.contains(*id))) {
      not_followed_.push_back(link.string());
      return;
    }
    followed_.push_back(link.string());
    list(link);
  }

  void add_lines() {
    auto& notes = listing_.notes;
    if (!followed_.empty()) notes.push_back("followed symlinks to directories: " + names_text(followed_, 5));
    if (!not_followed_.empty()) {
      notes.push_back(
          "symlinks that are not followed, because they lead to a directory that contains them or is already listed: " +
          names_text(not_followed_, 5));
    }
    if (const auto text = other_files_text(listing_); !text.empty()) notes.push_back(text);
    if (const auto& names = listing_.left_by_programs; !names.empty()) {
      notes.push_back("skipped, because they are hidden or were left behind by other programs: " +
                      names_text({names.begin(), names.end()}));
    }
    if (const auto& names = listing_.own_outputs; !names.empty()) {
      notes.push_back(format_text("{}, because {} of slopegan: ",
                                  names.size() == 1 ? "1 directory is skipped"
                                                    : format_text("{} directories are skipped", names.size()),
                                  names.size() == 1 ? "it is a run or sweep" : "they are runs or sweeps") +
                      names_text(names, 5));
    }
    if (!broken_links_.empty()) {
      listing_.warnings.push_back("symlinks to files that do not exist: " + names_text(broken_links_, 5));
    }
    if (!unlisted_.empty()) {
      const std::size_t more = unlisted_.size() - 1;
      listing_.warnings.push_back(
          unlisted_.front() + "; its images are left out" +
          (more > 0 ? format_text(" (and those of {} more director{})", more, more == 1 ? "y" : "ies") : ""));
    }
  }

  fs::path root_;
  FolderListing listing_;
  std::set<DirectoryId> visited_;
  std::deque<fs::path> links_;
  std::vector<std::string> followed_, not_followed_, broken_links_, unlisted_;
};

bool search_images(const fs::path& directory, bool below, std::set<DirectoryId>& visited) {
  if (const auto id = identify(directory); id && !visited.insert(*id).second) return false;
  std::error_code error, ignored;
  std::vector<fs::path> deeper;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (is_left_by_programs(entry->path().filename().string())) continue;
    if (entry->is_directory(ignored)) {
      if (below && !is_own_output(entry->path())) deeper.push_back(entry->path());
    } else if (entry->is_regular_file(ignored) && (has_image_extension(entry->path()) || sniff_file(entry->path()))) {
      return true;
    }
  }
  return std::any_of(deeper.begin(), deeper.end(),
                     [&](const fs::path& path) { return search_images(path, below, visited); });
}

}  // namespace

bool is_heic_or_avif(const fs::path& file) {
  const std::string format = unsupported_format(file);
  return format == "HEIC" || format == "AVIF";
}

FolderListing list_images(const fs::path& directory) { return FolderWalk(directory).run(); }

FolderListing list_some_images(const fs::path& directory) {
  FolderListing listing = list_images(directory);
  if (!listing.files.empty()) return listing;
  std::string text = printable(directory.string()) + " contains no PNG, JPEG, WebP, BMP, TIFF or GIF images";
  for (const auto& note : listing.notes) text += "; " + note;
  for (const auto& warning : listing.warnings) text += "; " + warning;
  const bool is_empty = listing.other.empty() && listing.warnings.empty() && listing.left_by_programs.empty() &&
                        listing.own_outputs.empty();
  if (is_empty) text += "; it is empty";
  throw DataError(text);
}

bool holds_images(const fs::path& directory, bool below) {
  std::set<DirectoryId> visited;
  return search_images(directory, below, visited);
}

std::vector<std::string> subdirectories(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error, ignored;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_left_by_programs(name) || !entry->is_directory(ignored) || is_own_output(entry->path())) continue;
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string names_text(const std::vector<std::string>& names, std::size_t most) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) parts.push_back(printable(names[i], 60));
  if (names.size() > most) parts.push_back(format_text("and {} more", names.size() - most));
  return join(parts, ", ");
}

}  // namespace slopegan
