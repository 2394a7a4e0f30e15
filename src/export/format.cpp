#include "export/format.h"

#include <array>
#include <fcntl.h>
#include <span>

#include "support/errors.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

static constexpr std::array formats = {&onnx_format, &torchscript_format, &safetensors_format};

std::vector<std::string> export_format_names() {
  std::vector<std::string> names;
  for (const auto* format : formats) names.emplace_back(format->name);
  return names;
}

const ExportFormat& export_format(const std::string& name) {
  for (const auto* format : formats) {
    if (format->name == name) return *format;
  }
  throw UsageError("there is no format " + printable(name) + "; allowed: " + join(export_format_names(), ", "));
}

void write_new_file(const std::filesystem::path& file, std::string_view bytes) {
  PosixFile output(file, O_WRONLY | O_CREAT | O_EXCL);
  output.write(std::as_bytes(std::span(bytes)));
}

}  // namespace slopegan
