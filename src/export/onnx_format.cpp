#include <limits>

#include "export/format.h"
#include "export/onnx_model.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::uint64_t largest_message = std::numeric_limits<std::int32_t>::max();  // of protobuf

void write_onnx_file(const ExportedNetwork& network, const std::filesystem::path& file) {
  constexpr std::uint64_t room_for_the_rest = 1 << 20;
  std::uint64_t size = room_for_the_rest;
  for (const auto& [name, tensor] : state_dict(network)) size += tensor.nbytes();
  if (size > largest_message) {
    throw UsageError(
        format_text("an ONNX file holds at most 2 GiB, and this generator has {:.1f}; export it as torchscript "
                    "or safetensors",
                    static_cast<double>(size) / (1 << 30)));
  }
  write_new_file(file, onnx_model(network));
}

at::Tensor run_onnx_file(const std::filesystem::path& file, const at::Tensor& latents) {
  return run_network(parse_onnx_model(read_file(file, largest_message)), latents);
}

}  // namespace

const ExportFormat onnx_format{"onnx", write_onnx_file, run_onnx_file};

}  // namespace slopegan
