#include "export/export.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "export/format.h"
#include "run/safetensors.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/signals.h"
#include "support/text.h"
#include "training/image_stream.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;

/// Latents and what LibTorch makes of them with the layers of this program.
struct Reference {
  at::Tensor latents, images;
};

Reference make_reference(LoadedGenerator& loaded, const Checkpoint& checkpoint) {
  TrainingConfig here = loaded.config.training;
  here.device = Device::cpu;
  here.precision = Precision::float32;
  apply_compute(choose_compute(here));
  const at::NoGradGuard no_gradients;
  const auto seed = static_cast<std::uint64_t>(loaded.config.seed);
  Reference reference;
  reference.latents = numbered_latents(seed, loaded.config.generator.latent_dim)(0, ImageStream::batch_size);
  reference.images = loaded.generator->forward(reference.latents);
  if (!reference.images.isfinite().all().item<bool>()) {
    throw CheckpointError(display(checkpoint.directory) + " holds a generator whose images are not finite");
  }
  return reference;
}

at::Tensor difference(const at::Tensor& images, const at::Tensor& expected) {
  TORCH_CHECK(images.sizes() == expected.sizes(), "the exported generator gives images of shape ", images.sizes(),
              " instead of ", expected.sizes());
  return (images - expected).abs();
}

/// Of the whole batch and of a single image: the number of latents is no part of the file. NaN where one is NaN.
double largest_difference(const ExportFormat& format, const fs::path& file, const Reference& reference) {
  const auto whole = difference(format.run(file, reference.latents), reference.images);
  const auto single = difference(format.run(file, reference.latents.narrow(0, 0, 1)), reference.images.narrow(0, 0, 1));
  return at::cat({whole, single}).max().item<double>();
}

double verify_file(const ExportFormat& format, const fs::path& file, const Reference& reference, bool folded) {
  const double largest = largest_difference(format, file, reference);
  if (largest <= export_tolerance) return largest;
  const auto text = slopegan::format(
      "the exported generator's pixels differ from LibTorch's by up to %.3g, more than %g", largest, export_tolerance);
  if (folded) throw UsageError(text + "; its batch norm cannot be folded that exactly: leave out --fold-batch-norm");
  throw std::runtime_error(text);
}

void check_not_stopped() {
  if (const int signal = stop_signal()) throw StoppedError(signal, "stopped before the generator was exported");
}

}  // namespace

double export_generator(const Checkpoint& checkpoint, const ExportOptions& options) {
  const auto& format = export_format(options.format);
  require_free(options.out, options.overwrite);
  if (options.reference) {
    require_free(*options.reference, options.overwrite);
    if (fs::weakly_canonical(*options.reference) == fs::weakly_canonical(options.out)) {
      throw UsageError("--reference and --out are the same file");
    }
  }
  auto loaded = load_generator(checkpoint);
  const auto reference = make_reference(loaded, checkpoint);
  check_not_stopped();
  const auto network = exported_network(loaded);
  PendingFile file(options.out);
  format.write(options.fold_batch_norm ? fold_batch_norm(network) : network, file.temporary());
  check_not_stopped();
  const double largest = verify_file(format, file.temporary(), reference, options.fold_batch_norm);
  if (options.reference) {
    PendingFile pending(*options.reference);
    write_safetensors(pending.temporary(), {{"latents", reference.latents}, {"images", reference.images}});
    pending.commit();
  }
  check_not_stopped();
  file.commit();
  return largest;
}

}  // namespace slopegan
