#include "export/export.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <optional>
#include <span>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "run/safetensors.h"
#include "sampling/samples.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/posix_file.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;

constexpr std::array formats = {&onnx_format, &torchscript_format, &safetensors_format};

/// Latents, and the images that this program's layers and LibTorch's operators compute from them.
struct Reference {
  at::Tensor latents, slopegan_images, images;
};

double largest_difference(const at::Tensor& images, const at::Tensor& expected) {
  TORCH_CHECK(images.sizes() == expected.sizes(), "the exported generator returns images of shape ", images.sizes(),
              " instead of ", expected.sizes());
  return (images - expected).abs().max().item<double>();
}

Reference make_reference(LoadedGenerator& loaded, const ExportedNetwork& network, const std::string& checkpoint) {
  TrainingConfig here = loaded.config.training;
  here.device = Device::cpu;
  here.precision = Precision::float32;
  apply_compute(choose_compute(here));
  const at::NoGradGuard no_gradients;
  const auto seed = static_cast<std::uint64_t>(loaded.config.seed);
  Reference reference;
  reference.latents = numbered_latents(seed, network.latent_dim)(0, ImageStream::batch_size);
  reference.slopegan_images = loaded.generator->forward(reference.latents);
  reference.images = run_network(network, reference.latents);
  if (!reference.slopegan_images.isfinite().all().item<bool>()) {
    throw CheckpointError(checkpoint + " contains a generator whose images are not finite");
  }
  const double rounding = largest_difference(reference.images, reference.slopegan_images);
  if (!(rounding <= export_tolerance)) {
    throw CheckpointError(
        checkpoint +
        format_text(" contains a generator whose pixels change by up to {:.3g}, more than {:g}, if float32 sums are "
                    "computed in a different order, so another program would compute different images",
                    rounding, export_tolerance));
  }
  return reference;
}

/// Runs the file with the whole batch and with a single latent, because it must be valid for any number of latents.
/// Returns the largest pixel difference from either reference. Throws if the difference from LibTorch's images exceeds
/// the tolerance.
double verify_file(const ExportFormat& file_format, const fs::path& file, const Reference& reference, bool folded) {
  const auto whole = file_format.run(file, reference.latents);
  const auto single = file_format.run(file, reference.latents.narrow(0, 0, 1));
  const double largest =
      largest_difference(at::cat({whole, single}), at::cat({reference.images, reference.images.narrow(0, 0, 1)}));
  if (largest <= export_tolerance) return std::max(largest, largest_difference(whole, reference.slopegan_images));
  const auto text =
      format_text("the exported generator's pixels differ from LibTorch's by up to {:.3g}, more than {:g}", largest,
                  export_tolerance);
  if (folded) throw UsageError(text + "; its batch norm cannot be folded precisely enough; omit --fold-batch-norm");
  throw std::runtime_error(text);
}

void check_not_stopped() {
  if (const int signal = stop_signal()) throw StoppedError(signal, "stopped before the generator was exported");
}

}  // namespace

double export_generator(const Checkpoint& checkpoint, const ExportOptions& options) {
  const auto& file_format = export_format(options.format);
  require_free(options.out, options.overwrite);
  if (options.reference) {
    require_free(*options.reference, options.overwrite);
    if (fs::weakly_canonical(*options.reference) == fs::weakly_canonical(options.out)) {
      throw UsageError("--reference and --out are the same file");
    }
  }
  auto loaded = load_generator(checkpoint);
  const auto network = exported_network(loaded);
  const auto reference = make_reference(loaded, network, display(checkpoint.directory));
  check_not_stopped();
  PendingFile file(options.out);
  file_format.write(options.fold_batch_norm ? fold_batch_norm(network) : network, file.temporary());
  check_not_stopped();
  const double largest = verify_file(file_format, file.temporary(), reference, options.fold_batch_norm);
  std::optional<PendingFile> reference_file;
  if (options.reference) {
    reference_file.emplace(*options.reference);
    write_safetensors(
        reference_file->temporary(),
        {{"latents", reference.latents}, {"images", reference.images}, {"slopegan_images", reference.slopegan_images}});
  }
  check_not_stopped();
  file.commit();
  if (reference_file) reference_file->commit();
  return largest;
}

// --- Formats

std::vector<std::string> export_format_names() {
  std::vector<std::string> names;
  for (const auto* format : formats) names.emplace_back(format->name);
  return names;
}

const ExportFormat& export_format(const std::string& name) {
  for (const auto* format : formats) {
    if (format->name == name) return *format;
  }
  throw UsageError("unknown format " + printable(name) + "; allowed: " + join(export_format_names(), ", "));
}

void write_new_file(const std::filesystem::path& file, std::string_view bytes) {
  PosixFile output(file, O_WRONLY | O_CREAT | O_EXCL);
  output.write(std::as_bytes(std::span(bytes)));
}

}  // namespace slopegan
