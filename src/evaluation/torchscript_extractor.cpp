#include "evaluation/torchscript_extractor.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "config/rules.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

/// The line of an error message that states the cause. This is the first line, unless the error occurred inside
/// forward(): the message then begins with tracebacks, whose lines are indented, and the cause follows the last one.
static std::string cause_of(const std::string& message) {
  std::size_t begin = 0;
  if (const auto traceback = message.rfind("\nTraceback"); traceback != std::string::npos) {
    begin = message.find('\n', traceback + 1);
    while (begin != std::string::npos && message.find_first_of(" \t\n", begin + 1) == begin + 1) {
      begin = message.find('\n', begin + 1);
    }
    begin += 1;  // after the line break, or 0 if no cause follows the traceback
  }
  return message.substr(begin, message.find('\n', begin) - begin);
}

struct TorchScriptExtractor::Loaded {
  std::filesystem::path file;
  std::string name;
  torch::jit::Module module;
  bool takes_return_features = false;
  bool takes_no_output_bias = false;

  at::Tensor call(const at::Tensor& bytes, const char* option) {
    torch::jit::Kwargs options;
    if (option != nullptr) options.emplace(option, true);
    try {
      return module.get_method("forward")({bytes}, options).toTensor();
    } catch (const std::exception& error) {
      throw DataError(printable(file.string()) +
                      ": the extractor fails on uint8 images [N, 3, H, W]: " + printable(cause_of(error.what())));
    }
  }
  at::Tensor features(const at::Tensor& bytes) {
    const auto result = call(bytes, takes_return_features ? "return_features" : nullptr);
    return checked(result, bytes.size(0), "features [N, d]").to(at::kFloat);
  }
  at::Tensor probabilities(const at::Tensor& bytes) {
    return checked(call(bytes, "no_output_bias"), bytes.size(0), "class probabilities [N, K]").to(at::kDouble);
  }
  at::Tensor checked(const at::Tensor& result, std::int64_t count, const char* what) const {
    const bool fits = result.dim() == 2 && result.size(0) == count && result.size(1) > 0 && result.is_floating_point();
    if (!fits) throw DataError(printable(file.string()) + ": the extractor does not return " + what);
    if (!result.isfinite().all().item<bool>()) {
      throw DataError(printable(file.string()) + ": the extractor returns " + what + " that are not finite");
    }
    return result;
  }
};

namespace {

at::Tensor rgb_bytes(const at::Tensor& images) {
  const auto bytes = images.clamp(-1, 1).add(1).mul(127.5).round().to(at::kByte);
  return bytes.size(1) == 3 ? bytes.contiguous() : bytes.expand({-1, 3, -1, -1}).contiguous();
}

constexpr std::int64_t inception_features = 2048;

bool is_inception(const std::filesystem::path& file, std::int64_t width) {
  return file.filename().string().starts_with("inception-2015-12-05") && width == inception_features;
}

}  // namespace

void require_torchscript_file(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::is_regular_file(file, error)) return;
  auto choices = words_of<ExtractorKind>();
  choices.emplace_back("the path of a TorchScript file");
  throw DataError(format_text("{} is not a file; metrics.extractor must be {}", printable(file.string()),
                              enumerate_words(std::move(choices), "or")));
}

std::unique_ptr<TorchScriptExtractor::Loaded> TorchScriptExtractor::load(const std::filesystem::path& file) {
  auto loaded = std::make_unique<Loaded>();
  loaded->file = file;
  require_torchscript_file(file);
  try {
    loaded->module = torch::jit::load(file.string(), at::Device(at::kCPU));
    loaded->module.eval();
    for (const auto& argument : loaded->module.get_method("forward").function().getSchema().arguments()) {
      if (argument.name() == "return_features") loaded->takes_return_features = true;
      if (argument.name() == "no_output_bias") loaded->takes_no_output_bias = true;
    }
  } catch (const std::exception&) {  // the reasons given by c10 and the archive reader do not help users
    throw DataError(printable(file.string()) + " is not a TorchScript module with a forward method");
  }
  const at::NoGradGuard no_gradients;
  const auto width = loaded->features(at::zeros({1, 3, 32, 32}, at::kByte)).size(1);
  const std::string title = is_inception(file, width) ? "inception" : "file-" + printable(file.stem().string(), 40);
  loaded->name = extractor_name(title, sha256_file(file));
  return loaded;
}

TorchScriptExtractor::TorchScriptExtractor(const std::filesystem::path& file) : TorchScriptExtractor(load(file)) {}
TorchScriptExtractor::TorchScriptExtractor(std::unique_ptr<Loaded> loaded)
    : FeatureExtractor(loaded->name), loaded_(std::move(loaded)) {}
TorchScriptExtractor::~TorchScriptExtractor() = default;

bool TorchScriptExtractor::has_classes() const { return loaded_->takes_no_output_bias; }

Extraction TorchScriptExtractor::extract_batch(const at::Tensor& images) {
  const auto bytes = rgb_bytes(images);
  Extraction extraction{loaded_->features(bytes), {}};
  if (has_classes()) {
    // Log-probabilities are valid logits: softmax recovers the probabilities.
    extraction.logits = loaded_->probabilities(bytes).clamp_min(1e-300).log().to(at::kFloat);
  }
  return extraction;
}

bool TorchScriptExtractor::move_network(at::Device device) {
  try {
    loaded_->module.to(device);
    loaded_->features(at::zeros({1, 3, 32, 32}, at::TensorOptions(at::kByte).device(device)));
    return true;
  } catch (const std::exception&) {  // for example, because constants stay on the CPU
    loaded_->module.to(at::kCPU);
    return false;
  }
}

}  // namespace slopegan
