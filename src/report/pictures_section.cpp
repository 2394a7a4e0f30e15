#include "report/assets.h"
#include "report/html.h"
#include "report/sections.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::string strip(const std::string& uri, const std::string& alt) {
  return "<img class=\"strip\" alt=\"" + escape(alt) + "\" src=\"" + uri + "\">";
}

const StatisticsData::Slope* summary_of(const SweepData& sweep, double slope) {
  if (!sweep.statistics) return nullptr;
  for (const auto& summary : sweep.statistics->slopes) {
    if (summary.negative_slope == slope) return &summary;
  }
  return nullptr;
}

/// "FD 2.32 ± 0.08".
std::string score_of(const SweepData& sweep, double slope) {
  const auto* summary = summary_of(sweep, slope);
  if (summary == nullptr || !summary->mean_fd) return {};
  std::string text = "FD " + format_text("{:.3g}", *summary->mean_fd);
  if (summary->fd_deviation) text += " ± " + format_text("{:.2g}", *summary->fd_deviation);
  return text;
}

/// The newest picture of an arm.
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
                               : strip(uri, name + (index < 0 ? "" : ", generated images of the same latents")) +
                                     "<p class=\"none\" hidden>no pictures</p>";
  return element("div", "class=\"row " + kind + "\"" + (index < 0 ? "" : format_text(" data-row=\"{}\"", index)),
                 head + element("div", "class=\"tiles\"", body)) +
         "\n";
}

}  // namespace

std::string slope_name(double slope) {
  const std::string text = shortest(slope);
  return slope == 0 ? text + " (ReLU)" : slope == 1 ? text + " (linear)" : text;
}

std::string sweep_pictures_section(const SweepData& sweep, const Pictures& pictures) {
  if (pictures.empty()) return {};
  std::string rows;
  if (!pictures.reals.empty()) rows += sheet_row("reals", "real images", "", pictures.reals, -1);
  for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
    // The first seed's; the script shows the others.
    const std::size_t arm = i * sweep.seeds.size();
    rows += sheet_row("slope", "slope " + slope_name(sweep.slopes[i]), score_of(sweep, sweep.slopes[i]),
                      newest(pictures.frames[arm]), static_cast<int>(i));
  }
  const std::string columns = std::to_string(pictures.layout.columns);
  return section("pictures", "What they draw",
                 fill_page(assets::sweep_pictures, {{"rows", rows}, {"columns", columns}}));
}

std::string run_pictures_section(const Pictures& pictures) {
  if (pictures.empty()) return {};
  const std::string generated = strip(newest(pictures.frames.front()), "generated images");
  const std::string reals = pictures.reals.empty() ? "" : strip(pictures.reals, "real images");
  return section("pictures", "What it draws",
                 fill_page(assets::run_pictures, {{"generated", generated}, {"reals", reals}}));
}

static Json frames_json(const Pictures& pictures, std::size_t source) {
  Json frames = Json::array();
  for (const auto& uri : pictures.frames[source]) frames.push_back(uri.empty() ? Json() : Json(uri));
  return frames;
}

static Json pictures_json(const Pictures& pictures) {
  return {{"images", pictures.images}, {"rows", pictures.layout.rows}, {"columns", pictures.layout.columns},
          {"tile", pictures.tile},     {"reals", pictures.reals},      {"arms", Json::array()}};
}

Json sweep_pictures_json(const SweepData& sweep, const Pictures& pictures) {
  if (pictures.empty()) return {};
  Json json = pictures_json(pictures);
  json["slopes"] = Json::array();
  for (const double slope : sweep.slopes) {
    json["slopes"].push_back({{"name", slope_name(slope)}, {"score", score_of(sweep, slope)}});
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
