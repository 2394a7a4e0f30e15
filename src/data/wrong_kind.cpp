#include "data/wrong_kind.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "data/dataset.h"
#include "data/folder_listing.h"
#include "data/found_files.h"
#include "data/gz_file.h"
#include "data/idx_names.h"
#include "images/image_file.h"
#include "images/npz.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;

/// What was found at data.path, and the correct value of data.path if the current value is wrong.
struct Finding {
  std::optional<DatasetKind> kind;
  std::string what;  ///< "is an IDX file"
  fs::path path{};
};

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  const char* what;
};

constexpr const char* archive_text = "is an archive; unpack it, and set data.path to the directory";

/// The signatures of file formats that are not supported.
constexpr std::array<Signature, 12> signatures = {{
    {257, "ustar", archive_text},
    {0, "7z\xbc\xaf", archive_text},
    {0, "Rar!", archive_text},
    {0, "BZh", archive_text},
    {0,
     "\xfd"
     "7zXZ",
     archive_text},
    {0, "\x28\xb5\x2f\xfd", archive_text},
    {0, "\x93NUMPY",
     "is a single NumPy array (.npy); save it with numpy.savez(FILE, images=...), and use "
     "data.kind=npz"},
    {0, "\x89HDF", "is an HDF5 file, which is not supported; save its images with numpy.savez, and use data.kind=npz"},
    {0, "MATLAB 5.0",
     "is a MATLAB file, which is not supported; save its images with numpy.savez, and use data.kind=npz"},
    {0, "PAR1", "is a Parquet file, which is not supported; save its images as files in a folder"},
    {0, "\x80\x02",
     "is a pickled Python file, which is not read because it can run code; for CIFAR, download the "
     "binary version"},
    {0, "\x80\x04", "is a pickled Python file, which is not read because it can run code"},
}};

/// The first bytes of a file, decompressed if it is gzipped; empty if it cannot be read.
std::string first_bytes(const fs::path& file) {
  std::string bytes(512, '\0');
  try {
    bytes.resize(GzFile(file).read(std::as_writable_bytes(std::span(bytes))));
    return bytes;
  } catch (const DataError&) {
    return "";
  }
}

Finding of_zip(const fs::path& file) {
  try {
    if (!NpzFile(file).arrays().empty()) return {DatasetKind::npz, "is an npz file"};
  } catch (const DataError&) {
    return {};
  }
  return {std::nullopt, archive_text};
}

Finding of_file(const fs::path& file) {
  if (sniff_file(file)) {
    return {DatasetKind::image_folder, "is a single image", fs::absolute(file).lexically_normal().parent_path()};
  }
  if (is_heic_or_avif(file)) {
    return {
        std::nullopt,
        "is a HEIC or AVIF image; convert it to JPEG first, for example with heif-convert, and set data.path to the "
        "folder of images"};
  }
  const std::string start = first_bytes(file);
  if (start.starts_with("PK\3\4") || start.starts_with("PK\5\6")) return of_zip(file);
  if (start.starts_with(std::string_view("\0\0\x08\3", 4))) return {DatasetKind::idx, "is an IDX file"};
  for (const auto& signature : signatures) {
    if (start.size() > signature.offset && start.substr(signature.offset).starts_with(signature.bytes)) {
      return {std::nullopt, signature.what};
    }
  }
  return {};
}

bool is_archive_name(const fs::path& file) {
  const std::string name = lower_case(file.filename().string());
  const std::array endings = {".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".rar", ".7z"};
  return std::any_of(endings.begin(), endings.end(), [&](const char* ending) { return name.ends_with(ending); });
}

Finding of_directory(const fs::path& directory) {
  constexpr std::size_t most_sniffed = 200;
  if (!idx_collections(directory).empty()) return {DatasetKind::idx, "contains IDX files"};
  if (cifar_format.has_split(directory, Split::train)) return {DatasetKind::cifar, "contains CIFAR's binary files"};
  const auto files = files_below(directory);
  const auto sniffed = files.begin() + static_cast<std::ptrdiff_t>(std::min(files.size(), most_sniffed));
  if (std::any_of(files.begin(), sniffed, [](const fs::path& file) { return sniff_file(file).has_value(); })) {
    return {DatasetKind::image_folder, "contains images"};
  }
  if (std::any_of(files.begin(), sniffed, is_heic_or_avif)) {
    return {DatasetKind::image_folder,
            "contains HEIC or AVIF images (convert them to JPEG first, for example with heif-convert)"};
  }
  const auto npz = std::find_if(files.begin(), files.end(),
                                [](const auto& file) { return lower_case(file.extension().string()) == ".npz"; });
  if (npz != files.end()) return {DatasetKind::npz, "contains an npz file", *npz};
  const auto archive = std::find_if(files.begin(), files.end(), is_archive_name);
  if (archive != files.end()) {
    return {std::nullopt, "contains an archive, " + printable(archive->filename().string()) + "; unpack it"};
  }
  return {};
}

}  // namespace

std::string wrong_kind_message(DatasetKind kind, const fs::path& path) {
  std::error_code ignored;
  const bool is_directory = fs::is_directory(path, ignored);
  if (!is_directory && !fs::is_regular_file(path, ignored)) return "";
  const Finding found = is_directory ? of_directory(path) : of_file(path);
  if (found.what.empty() || (found.kind == kind && (is_directory || found.path.empty()))) return "";
  const std::string text = "data.path: " + printable(path.string()) + " " + found.what;
  if (!found.kind) return text;
  const std::string path_text = found.path.empty() ? "" : " data.path=" + printable(found.path.string());
  if (found.kind == kind) return text + "; a folder of images is expected; did you mean" + path_text + "?";
  return text + ", but data.kind is " + std::string(name_of(kind)) +
         "; did you mean data.kind=" + std::string(name_of(*found.kind)) + path_text + "?";
}

}  // namespace slopegan
