#pragma once

#include <filesystem>
#include <string>

#include "temporary_directory.h"

namespace slopegan {

/// The first bytes of files, enough to distinguish their formats.
inline const std::string jpeg_bytes = "\xff\xd8\xff\xe0 JFIF", png_bytes = "\x89PNG\r\n\x1a\n more",
                         heic_bytes(std::string("\0\0\0\x18", 4) + "ftypheic more"),
                         avif_bytes(std::string("\0\0\0\x18", 4) + "ftypavif more");

/// A directory in which creating a file also creates its parent directories.
class FolderOfFiles {
 public:
  void file(const std::string& name, const std::string& content = jpeg_bytes) const {
    std::filesystem::create_directories((directory_ / name).parent_path());
    directory_.write(name, content);
  }
  void link(const std::string& target, const std::string& name) const {
    std::filesystem::create_directories((directory_ / name).parent_path());
    std::filesystem::create_symlink(directory_ / target, directory_ / name);
  }
  std::filesystem::path path(const std::string& name = "") const {
    return name.empty() ? directory_.path() : directory_ / name;
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace slopegan
