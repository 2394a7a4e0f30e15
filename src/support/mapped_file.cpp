#include "support/mapped_file.h"

#include <sys/mman.h>

#include "support/posix_file.h"

namespace slopegan {

MappedFile::MappedFile(const std::filesystem::path& file) {
  const PosixFile opened = PosixFile::open_regular(file);
  const auto size = static_cast<std::size_t>(opened.size());
  if (size == 0) return;  // which mmap refuses
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, opened.descriptor(), 0);
  if (memory == MAP_FAILED) throw_io_error("map", file);
  bytes_ = {static_cast<const std::byte*>(memory), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace slopegan
