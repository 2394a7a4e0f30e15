#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/packed_images.h"

/// The file that packed_images keeps: the images' bytes from offset 0 on, one after the other, as Dataset has them in
/// memory; then a JSON object that describes them; then 64 hexadecimal digits, its SHA-256, and 20 decimal ones, its
/// length.
namespace slopegan {

/// What is to stand behind the bytes of `packed`.
std::string pack_footer(const PackedImages& packed, const std::string& fingerprint);

/// The bytes in the first part of `file` as uint8 [count, channels, resolution, resolution] in mapped memory.
torch::Tensor map_images(const std::filesystem::path& file, std::int64_t count, const PackOptions& options);

/// Nothing where there is no file, or it was packed from other files, or it is damaged: then `damage` says in what way.
std::optional<PackedImages> open_pack(const std::filesystem::path& file, const FolderImages& folder,
                                      const PackOptions& options, std::string& damage);

}  // namespace slopegan
