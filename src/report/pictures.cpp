#include "report/pictures.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "images/grid.h"
#include "images/image_file.h"
#include "report/html.h"
#include "report/sections.h"
#include "run/run_directory.h"
#include "statistics/statistics_text.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr int max_tile_side = 64, lossless = 101, good_quality = 80;

/// Orders times so that every prefix is spread over training: the last, the first, then repeatedly the middle of the
/// largest gap.
std::vector<std::int64_t> spread_order(const std::set<std::int64_t>& times) {
  const std::vector<std::int64_t> all(times.begin(), times.end());
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
    throw DataError("OpenCV was built without WebP support");
  }
  return "data:image/webp;base64," + base64(std::as_bytes(std::span(bytes)));
}

/// The data URI of one picture; empty if the file does not exist or is damaged. Damaged files are added to the notes.
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

// ---- Markup ----

std::string strip(const std::string& uri, const std::string& alt) {
  return "<img class=\"strip\" alt=\"" + escape(alt) + "\" src=\"" + uri + "\">";
}

const SlopeSummary* summary_of(const SweepData& sweep, double slope) {
  if (!sweep.statistics) return nullptr;
  for (const auto& summary : sweep.statistics->statistics.slopes) {
    if (summary.negative_slope == slope) return &summary;
  }
  return nullptr;
}

/// The score of a slope: "FD 2.32 ± 0.08"; empty if the slope has no score.
std::string score_text(const SweepData& sweep, double slope) {
  const auto* summary = summary_of(sweep, slope);
  if (summary == nullptr || !summary->mean_fd) return {};
  std::string text = "FD " + format_text("{:.3g}", *summary->mean_fd);
  if (summary->fd_deviation) text += " ± " + format_text("{:.2g}", *summary->fd_deviation);
  return text;
}

/// The newest picture of an arm, or an empty string.
std::string newest(const std::vector<std::string>& frames) {
  for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
    if (!frame->empty()) return *frame;
  }
  return {};
}

std::string sheet_row(const std::string& kind, const std::string& name, const std::string& detail,
                      const std::string& uri, int index) {
  const std::string head = element(
      "div", "class=\"head\"", element("b", "", escape(name)) + element("span", "class=\"detail\"", escape(detail)));
  const std::string body = uri.empty()
                               ? "<img class=\"strip\" alt=\"\" hidden><p class=\"none\">no pictures</p>"
                               : strip(uri, name + (index < 0 ? "" : ", images generated from the same latents")) +
                                     "<p class=\"none\" hidden>no pictures</p>";
  return element("div", "class=\"row " + kind + "\"" + (index < 0 ? "" : format_text(" data-row=\"{}\"", index)),
                 head + element("div", "class=\"tiles\"", body)) +
         "\n";
}

Json frames_json(const Pictures& pictures, std::size_t source) {
  Json frames = Json::array();
  for (const auto& uri : pictures.frames[source]) frames.push_back(uri.empty() ? Json() : Json(uri));
  return frames;
}

Json pictures_json(const Pictures& pictures) {
  return {{"images", pictures.images}, {"rows", pictures.layout.rows}, {"columns", pictures.layout.columns},
          {"tile", pictures.tile},     {"reals", pictures.reals},      {"arms", Json::array()}};
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
  const cv::Mat grid = read_grid(file);
  const GridLayout source = samples_layout(samples);
  if (!is_grid(grid, source, resolution)) {
    throw DataError(display(file) + ": not a grid with the configured number of rows and columns");
  }
  const int side = std::min(resolution, max_tile_side);
  cv::Mat tiles(layout.rows * side, layout.columns * side, grid.type(), cv::Scalar::all(255));
  for (int i = 0; i < std::min(layout.rows * layout.columns, source.rows * source.columns); ++i) {
    // The pictures of a single run keep the rows of the grid; the strip of an arm concatenates them.
    const int row = layout.rows > 1 ? i / layout.columns : i / source.columns;
    const int column = layout.rows > 1 ? i % layout.columns : i % source.columns;
    const cv::Rect place(i % layout.columns * side, i / layout.columns * side, side, side);
    cv::resize(tile_at(grid, source, resolution, row, column), tiles(place), place.size(), 0, 0, cv::INTER_AREA);
  }
  return tiles;
}

Pictures read_pictures(const std::vector<PictureSource>& sources, const PictureLayout& layout, std::size_t budget,
                       std::size_t max_times) {
  Pictures pictures;
  pictures.layout = layout;
  std::set<std::int64_t> times;
  for (const auto& source : sources) times.merge(RunPaths(source.run).sample_counts());
  auto order = spread_order(times);
  if (order.empty()) return pictures;
  order.resize(std::min(order.size(), max_times));

  // Pictures are lossless if all of them are expected to fit, judging by the last samples. The factor 3/2 allows for
  // noisy early samples, which compress worse.
  std::size_t used = bytes_of(frames_at(sources, order.front(), lossless, pictures));
  const int quality = used * order.size() * 3 / 2 <= budget ? lossless : good_quality;
  pictures.notes.clear();  // the same notes are added again below
  used = 0;
  std::map<std::int64_t, std::vector<std::string>> chosen;
  for (const auto images : order) {
    const std::size_t noted = pictures.notes.size();
    auto frames = frames_at(sources, images, quality, pictures);
    used += bytes_of(frames);
    if (used > budget && !chosen.empty()) {
      pictures.notes.resize(noted);  // the page does not show this point in training
      break;
    }
    chosen[images] = std::move(frames);
  }
  pictures.frames.resize(sources.size());
  for (auto& [images, frames] : chosen) {
    pictures.images.push_back(images);
    for (std::size_t i = 0; i < sources.size(); ++i) pictures.frames[i].push_back(std::move(frames[i]));
  }
  pictures.reals = read_reals(sources, pictures);
  if (chosen.size() < times.size()) {
    pictures.notes.push_back(
        format_text("The pictures show {} of {} points in training, spread evenly.", chosen.size(), times.size()));
  }
  return pictures;
}

std::string sweep_pictures_section(const SweepData& sweep, const Pictures& pictures) {
  if (pictures.empty()) return {};
  std::string rows;
  if (!pictures.reals.empty()) rows += sheet_row("reals", "real images", "", pictures.reals, -1);
  for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
    // The picture for the first seed. The script in the page can show the other seeds.
    const std::size_t arm = i * sweep.seeds.size();
    rows += sheet_row("slope", "slope " + slope_name(sweep.slopes[i]), score_text(sweep, sweep.slopes[i]),
                      newest(pictures.frames[arm]), static_cast<int>(i));
  }
  const std::string columns = std::to_string(pictures.layout.columns);
  return section("pictures", "Generated images",
                 fill_page(assets::sweep_pictures, {{"rows", rows}, {"columns", columns}}));
}

std::string run_pictures_section(const Pictures& pictures) {
  if (pictures.empty()) return {};
  const std::string generated = strip(newest(pictures.frames.front()), "generated images");
  const std::string reals = pictures.reals.empty() ? "" : strip(pictures.reals, "real images");
  return section("pictures", "Generated images",
                 fill_page(assets::run_pictures, {{"generated", generated}, {"reals", reals}}));
}

Json sweep_pictures_json(const SweepData& sweep, const Pictures& pictures) {
  if (pictures.empty()) return {};
  Json json = pictures_json(pictures);
  json["slopes"] = Json::array();
  for (const double slope : sweep.slopes) {
    json["slopes"].push_back({{"name", slope_name(slope)}, {"score", score_text(sweep, slope)}});
  }
  json["seeds"] = sweep.seeds;
  for (std::size_t i = 0; i < sweep.arms.size(); ++i) json["arms"].push_back(frames_json(pictures, i));
  return json;
}

Json run_pictures_json(const RunData& run, const Pictures& pictures) {
  if (pictures.empty()) return {};
  Json json = pictures_json(pictures);
  json["slopes"] = {{{"name", run.name}, {"score", ""}}};
  json["seeds"] = {run.config ? run.config->seed : 0};
  json["arms"].push_back(frames_json(pictures, 0));
  return json;
}

}  // namespace slopegan
