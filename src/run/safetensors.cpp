#include "run/safetensors.h"

#include <algorithm>
#include <bit>
#include <fcntl.h>
#include <stdexcept>

#include <ATen/ATen.h>

#include "support/checksums.h"
#include "support/errors.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

void check_storable(const std::string& name, const torch::Tensor& tensor) {
  if (!is_tensor_name(name)) throw std::invalid_argument("not a valid tensor name: \"" + printable(name) + '"');
  if (!tensor.defined() || tensor.layout() != torch::kStrided || storage_rank(tensor.scalar_type()) < 0) {
    throw std::invalid_argument("the tensor " + name + " is undefined, not dense, or has an unsupported dtype");
  }
}

/// Returns the entries in the order of the file: by dtype, then by name.
std::vector<TensorEntry> lay_out(const NamedTensors& tensors) {
  std::vector<TensorEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    check_storable(name, tensor);
    entries.push_back(
        {.name = name, .dtype = tensor.scalar_type(), .shape = tensor.sizes().vec(), .begin = 0, .end = 0});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return storage_rank(a.dtype) < storage_rank(b.dtype);
  });
  std::uint64_t offset = 0;
  for (TensorEntry& entry : entries) {
    entry.begin = offset;
    offset += tensors.at(entry.name).nbytes();
    entry.end = offset;
  }
  return entries;
}

std::span<std::byte> bytes_of(const torch::Tensor& contiguous) {
  return {static_cast<std::byte*>(contiguous.data_ptr()), contiguous.nbytes()};
}

class HashingWriter {
 public:
  explicit HashingWriter(const std::filesystem::path& file) : file_(file, O_WRONLY | O_CREAT | O_TRUNC) {}
  void write(std::span<const std::byte> bytes) {
    file_.write(bytes);
    sha_.update(bytes);
    size_ += bytes.size();
  }
  FileDigest finish() {
    file_.sync();
    return {size_, sha_.hex()};
  }

 private:
  PosixFile file_;
  Sha256 sha_;
  std::uint64_t size_ = 0;
};

torch::Tensor allocate(const TensorEntry& entry) {
  try {
    return at::empty(entry.shape, torch::TensorOptions().dtype(entry.dtype));
  } catch (const c10::Error&) {
    throw CheckpointError(
        format_text("not enough memory for the {} bytes of the tensor \"{}\"", entry.end - entry.begin, entry.name));
  }
}

torch::Tensor read_tensor(PosixFile& file, const TensorEntry& entry) {
  torch::Tensor tensor = allocate(entry);
  const auto bytes = bytes_of(tensor);
  if (file.read(bytes) != bytes.size()) throw CheckpointError("the file ends too early");
  // It is undefined behaviour to use a bool whose value is neither 0 nor 1.
  const bool is_bool = entry.dtype == torch::kBool;
  if (is_bool && std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b > std::byte{1}; })) {
    throw CheckpointError("the tensor \"" + entry.name + "\" of dtype BOOL has a value other than 0 and 1");
  }
  return tensor;
}

Safetensors read_open_file(PosixFile& file) {
  SafetensorsHeader header = read_safetensors_header(file);
  Safetensors content;
  for (const TensorEntry& entry : header.tensors) content.tensors.emplace(entry.name, read_tensor(file, entry));
  content.metadata = std::move(header.metadata);
  return content;
}

}  // namespace

FileDigest write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                             const SafetensorsMetadata& metadata) {
  const SafetensorsHeader header{lay_out(tensors), metadata};
  std::string text = safetensors_header_text(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // aligns the data
  const std::uint64_t length = text.size();
  HashingWriter output(file);
  output.write(std::as_bytes(std::span(&length, 1)));
  output.write(std::as_bytes(std::span(text)));
  for (const TensorEntry& entry : header.tensors) {
    output.write(bytes_of(tensors.at(entry.name).detach().to(torch::kCPU).contiguous()));
  }
  return output.finish();
}

Safetensors read_safetensors(const std::filesystem::path& file) {
  try {
    PosixFile input = PosixFile::open_regular(file);
    return read_open_file(input);
  } catch (const IoError& error) {
    throw CheckpointError(error.what());
  } catch (const CheckpointError& error) {
    throw CheckpointError(display(file) + " cannot be read: " + error.what());
  }
}

}  // namespace slopegan
