#include "report/pictures.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <span>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "images/grid_layout.h"
#include "images/read_image.h"
#include "run/run_directory.h"
#include "support/base64.h"
#include "support/errors.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr int largest_tile = 64, lossless = 101, good_quality = 80;

/// The counts of samples/<images>.png.
std::set<std::int64_t> moments_of(const RunPaths& run) {
  std::set<std::int64_t> counts;
  if (run.root().empty()) return counts;  // an arm that has not begun
  for (const auto& file : entries_of(run.samples_dir())) {
    const std::string stem = file.stem().string();
    std::int64_t images = 0;
    const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), images);
    const bool number = error == std::errc() && end == stem.data() + stem.size();
    if (number && file.extension() == ".png") counts.insert(images);
  }
  return counts;
}

/// The last moment, the first, and then always the one in the middle of the largest gap: cut anywhere, what there is
/// is spread.
std::vector<std::int64_t> in_order_of_worth(const std::set<std::int64_t>& moments) {
  const std::vector<std::int64_t> all(moments.begin(), moments.end());
  std::vector<std::int64_t> order;
  if (all.empty()) return order;
  std::set<std::size_t> taken = {all.size() - 1};
  order.push_back(all.back());
  if (all.size() > 1) {
    taken.insert(0);
    order.push_back(all.front());
  }
  while (taken.size() < all.size()) {
    std::size_t best = 0, largest = 0;
    for (auto next = std::next(taken.begin()); next != taken.end(); ++next) {
      const std::size_t before = *std::prev(next), gap = *next - before;
      if (gap > largest) {
        largest = gap;
        best = before + gap / 2;
      }
    }
    taken.insert(best);
    order.push_back(all[best]);
  }
  return order;
}

std::string data_uri(const cv::Mat& image, int quality) {
  std::vector<unsigned char> bytes;
  if (!cv::imencode(".webp", image, bytes, {cv::IMWRITE_WEBP_QUALITY, quality})) {
    throw DataError("OpenCV cannot write WebP");
  }
  return "data:image/webp;base64," + base64(std::as_bytes(std::span(bytes)));
}

/// One picture, or nothing where there is no file. A damaged one is noted.
std::string frame(const std::filesystem::path& file, const Config& config, int quality, Pictures& pictures) {
  if (!std::filesystem::exists(file)) return {};
  try {
    const auto image = picture(file, config.samples, static_cast<int>(config.data.resolution), pictures.layout);
    pictures.tile = image.rows / pictures.layout.rows;
    return data_uri(image, quality);
  } catch (const Error& error) {
    pictures.notes.emplace_back(error.what());
    return {};
  }
}

std::vector<std::string> frames_at(const std::vector<PictureSource>& sources, std::int64_t images, int quality,
                                   Pictures& pictures) {
  std::vector<std::string> frames;
  for (const auto& source : sources) {
    frames.push_back(source.run.empty()
                         ? std::string()
                         : frame(RunPaths(source.run).samples_file(images), source.config, quality, pictures));
  }
  return frames;
}

std::size_t bytes_of(const std::vector<std::string>& frames) {
  std::size_t sum = 0;
  for (const auto& uri : frames) sum += uri.size();
  return sum;
}

std::string read_reals(const std::vector<PictureSource>& sources, Pictures& pictures) {
  for (const auto& source : sources) {
    if (source.run.empty()) continue;
    const auto uri = frame(RunPaths(source.run).reals_file(), source.config, lossless, pictures);
    if (!uri.empty()) return uri;
  }
  return {};
}

}  // namespace

PictureLayout run_layout(const Config& config) {
  return {static_cast<int>(std::min<std::int64_t>(config.samples.rows, 8)),
          static_cast<int>(std::min<std::int64_t>(config.samples.columns, 12))};
}

PictureLayout sweep_layout(const Config& config) {
  return {1, static_cast<int>(std::min<std::int64_t>(config.samples.rows * config.samples.columns, 12))};
}

cv::Mat picture(const std::filesystem::path& file, const SamplesConfig& samples, int resolution,
                const PictureLayout& layout) {
  const cv::Mat grid = read_image(file);
  GridLayout source;
  source.rows = static_cast<int>(samples.rows);
  source.columns = static_cast<int>(samples.columns);
  if (!is_grid(grid, source, resolution)) {
    throw DataError(display(file) + ": it is no grid of the rows and columns in the run's configuration");
  }
  const int side = std::min(resolution, largest_tile);
  cv::Mat tiles(layout.rows * side, layout.columns * side, grid.type(), cv::Scalar::all(255));
  for (int i = 0; i < std::min(layout.rows * layout.columns, source.rows * source.columns); ++i) {
    // A run alone keeps its rows; a strip takes them one behind the other.
    const int row = layout.rows > 1 ? i / layout.columns : i / source.columns;
    const int column = layout.rows > 1 ? i % layout.columns : i % source.columns;
    const cv::Rect place(i % layout.columns * side, i / layout.columns * side, side, side);
    cv::resize(tile_at(grid, source, resolution, row, column), tiles(place), place.size(), 0, 0, cv::INTER_AREA);
  }
  return tiles;
}

Pictures read_pictures(const std::vector<PictureSource>& sources, const PictureLayout& layout, std::size_t budget,
                       std::size_t most_moments) {
  Pictures pictures;
  pictures.layout = layout;
  std::set<std::int64_t> moments;
  for (const auto& source : sources) moments.merge(moments_of(RunPaths(source.run)));
  auto order = in_order_of_worth(moments);
  if (order.empty()) return pictures;
  order.resize(std::min(order.size(), most_moments));

  // Lossless where the last moment says that all will fit; noise, such as early samples, takes more room.
  std::size_t used = bytes_of(frames_at(sources, order.front(), lossless, pictures));
  const int quality = used * order.size() * 3 / 2 <= budget ? lossless : good_quality;
  pictures.notes.clear();  // the same is said below
  used = 0;
  std::map<std::int64_t, std::vector<std::string>> chosen;
  for (const auto images : order) {
    auto frames = frames_at(sources, images, quality, pictures);
    used += bytes_of(frames);
    if (used > budget && !chosen.empty()) break;
    chosen[images] = std::move(frames);
  }
  pictures.frames.resize(sources.size());
  for (auto& [images, frames] : chosen) {
    pictures.images.push_back(images);
    for (std::size_t i = 0; i < sources.size(); ++i) pictures.frames[i].push_back(std::move(frames[i]));
  }
  pictures.reals = read_reals(sources, pictures);
  if (chosen.size() < moments.size()) {
    pictures.notes.push_back(
        format_text("The pictures show {} of {} moments of training, spread evenly.", chosen.size(), moments.size()));
  }
  return pictures;
}

}  // namespace slopegan
