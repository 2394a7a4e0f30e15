#include "sampling/generate.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "images/convert.h"
#include "images/gif.h"
#include "images/grid.h"
#include "images/image_file.h"
#include "images/npz.h"
#include "sampling/samples.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;

constexpr int walk_frame_hundredths = 5;  // 20 frames per second
constexpr std::int64_t most_stations = 10'000;

/// Shows the progress of a stream: on a terminal in the status line, otherwise in a log line every ten seconds.
class StreamProgress {
 public:
  void update(const ImageStream& stream) {
    const auto now = Clock::now();
    if (now - shown_ <
        (log::status_line_visible() ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000)))
      return;
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const auto text = format_text("{} of {} images, {:.0f}/s", stream.done(), stream.count(),
                                  static_cast<double>(stream.done()) / seconds);
    if (log::status_line_visible()) {
      log::status_line(text);
    } else {
      log::info(text);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now(), shown_ = start_;
};

/// What the images are written to.
enum class Target { directory, array, animation, image };

/// Selects the target by the extension of `out`. Throws UsageError if the extension belongs to an unsupported file
/// format, because a directory with such an extension would be surprising.
Target target_of(const fs::path& out) {
  if (!out.has_filename()) return Target::directory;  // "images/"
  const std::string ending = lower_case(out.extension().string());
  if (ending == ".npz") return Target::array;
  if (ending == ".gif") return Target::animation;
  if (ending == ".png") return Target::image;
  for (const auto* other : {".npy", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".mp4", ".avi",
                            ".mov", ".webm", ".zip", ".tar", ".pt", ".h5", ".safetensors"}) {
    if (ending != other) continue;
    throw UsageError(display(out) +
                     ": images are written as PNG files to a directory or as one .npz file, a single image as a .png "
                     "file, and a walk as a .gif file; to name a directory, end the name with a slash");
  }
  return Target::directory;
}

/// Throws UsageError if the images cannot be written to `target`.
void check_target(Target target, const GenerateOptions& options) {
  if (target == Target::animation && options.walk_steps == 0) {
    throw UsageError("a .gif file requires --walk FRAMES");
  }
  if (target != Target::image || (options.count == 1 && options.walk_steps == 0)) return;
  throw UsageError(display(options.out) +
                   " can hold only one image: use --count 1 without --walk; for more images, name a "
                   "directory or an .npz file");
}

/// Throws UsageError if existing files would be replaced or mixed with new ones.
void check_free(Target target, const GenerateOptions& options) {
  std::error_code ignored;
  if (fs::is_directory(options.out, ignored) && target == Target::directory) {
    if (options.overwrite || entries_of(options.out).empty()) return;
    throw UsageError(
        display(options.out) +
        " is not empty; choose another directory, or use --overwrite to replace files with the same names");
  }
  require_free(options.out, options.overwrite);
}

void write_array(ImageStream& stream, const fs::path& file) {
  StreamProgress progress;
  torch::Tensor bytes;  // the pixels of the current batch
  const auto next = [&]() -> std::span<const std::byte> {
    bytes = to_bytes(stream.next());
    progress.update(stream);
    return {static_cast<const std::byte*>(bytes.const_data_ptr()), bytes.nbytes()};
  };
  write_npz(file, "arr_0", {stream.count(), stream.resolution(), stream.resolution(), stream.channels()}, next);
}

/// Returns "000042.png". All names have the same number of digits, so that they sort by number.
fs::path numbered_file(const fs::path& directory, std::int64_t number, std::int64_t count) {
  const auto digits = std::max<std::size_t>(6, std::to_string(count - 1).size());
  return directory / format_text("{:0{}}.png", number, digits);
}

/// Encodes on all cores, because encoding takes as long as generating the images, and longer for small networks.
void write_files(const std::vector<cv::Mat>& images, const fs::path& directory, std::int64_t first,
                 std::int64_t count) {
  at::parallel_for(0, static_cast<std::int64_t>(images.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      write_png(numbered_file(directory, first + i, count), images[static_cast<std::size_t>(i)], Sync::later);
    }
  });
}

/// Writes the images to files unless `directory` is empty, and to `animation` unless it is null.
void write_images(ImageStream& stream, const fs::path& directory, GifWriter* animation) {
  StreamProgress progress;
  for (std::int64_t first = 0;; first = stream.done()) {
    const auto images = stream.next();
    if (!images.defined()) return;
    const auto mats = to_mats(images);
    if (!directory.empty()) write_files(mats, directory, first, stream.count());
    if (animation != nullptr) {
      for (const auto& mat : mats) animation->add(upscale_for_display(mat), walk_frame_hundredths);
    }
    progress.update(stream);
  }
}

void write_directory(ImageStream& stream, const GenerateOptions& options) {
  make_directories(options.out);
  std::unique_ptr<GifWriter> animation;
  if (options.walk_steps > 0) animation = std::make_unique<GifWriter>(options.out / "walk.gif");
  write_images(stream, options.out, animation.get());
  if (animation) animation->finish();
  sync_file_system(options.out);
}

void write_animation(ImageStream& stream, const fs::path& file) {
  GifWriter animation(file);
  write_images(stream, {}, &animation);
  animation.finish();
}

void write(ImageStream& stream, Target target, const GenerateOptions& options) {
  if (target != Target::directory) make_parent_directories(options.out);
  switch (target) {
    case Target::directory:
      return write_directory(stream, options);
    case Target::array:
      return write_array(stream, options.out);
    case Target::animation:
      return write_animation(stream, options.out);
    case Target::image:
      return write_png(options.out, to_mats(stream.next()).front());
  }
}

}  // namespace

void generate_files(const Checkpoint& checkpoint, const GenerateOptions& options) {
  const Target target = target_of(options.out);
  check_target(target, options);
  check_free(target, options);
  auto loaded = load_generator(checkpoint);
  TrainingConfig here = loaded.config.training;
  here.device = Device::automatic;      // the training device may not exist here
  here.precision = Precision::float32;  // images must not depend on the precisions that the machine supports
  const Compute compute = choose_compute(here);
  apply_compute(compute);
  const auto seed = static_cast<std::uint64_t>(options.seed.value_or(loaded.config.seed));
  LatentSource latents = numbered_latents(seed, loaded.config.generator.latent_dim);
  std::int64_t count = options.count;
  if (options.walk_steps > 0) {
    if (options.count > most_stations) throw UsageError(format_text("a walk visits at most {} latents", most_stations));
    const LatentWalk walk(latents(0, options.count), options.walk_steps);
    count = walk.size();
    latents = [walk](std::int64_t first, std::int64_t n) { return walk.latents(first, n); };
  }
  ImageStream stream(loaded, compute, std::move(latents), count);
  write(stream, target, options);
  log::status_line("");
}

}  // namespace slopegan
