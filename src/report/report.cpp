#include "report/report.h"

#include <algorithm>
#include <chrono>

#include "config/sweep_target.h"
#include "report/html.h"
#include "report/pictures.h"
#include "report/run_data.h"
#include "report/sections.h"
#include "run/run_directory.h"
#include "run/run_info.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

std::string section(const std::string& id, const std::string& heading, const std::string& content) {
  return element("section", "id=\"" + id + "\" data-name=\"" + heading + "\"",
                 "\n" + element("h2", "", heading) + "\n" + content) +
         "\n";
}

namespace {

/// The limit for all pictures in a page, in bytes. Everything else takes a few MiB at most.
constexpr std::size_t picture_budget = std::size_t{9} << 20;
constexpr std::size_t max_times = 24;

/// The hash source of an inline script or style in a content security policy: 'sha256-…'.
std::string policy_source(std::string_view text) {
  const std::string hex = sha256_hex(text);
  std::vector<std::byte> digest;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    digest.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return "'sha256-" + base64(digest) + "'";
}

struct Page {
  std::string title, subtitle;
  std::vector<std::string> sections;
  Json pictures;
  Json charts;
};

std::string contents_list(const std::vector<std::string>& sections) {
  std::string items;
  for (const auto& markup : sections) {
    // The sections start with <section id="x" data-name="X"> (see section()).
    const auto id = markup.find("id=\""), name = markup.find("data-name=\"");
    if (id == std::string::npos || name == std::string::npos) continue;
    const auto value = [&](std::size_t begin) { return markup.substr(begin, markup.find('"', begin) - begin); };
    items += element("li", "", element("a", "href=\"#" + value(id + 4) + "\"", value(name + 11)));
  }
  return items;
}

std::string page_html(const Page& page) {
  std::string body;
  for (const auto& markup : page.sections) body += markup;
  return fill_page(assets::page, {{"title", escape(page.title)},
                                  {"subtitle", page.subtitle},
                                  {"style", std::string(assets::style)},
                                  {"style_source", policy_source(assets::style)},
                                  {"script", std::string(assets::script)},
                                  {"script_source", policy_source(assets::script)},
                                  {"contents", contents_list(page.sections)},
                                  {"sections", body},
                                  {"pictures", script_json(page.pictures)},
                                  {"charts", script_json(page.charts)},
                                  {"created", escape(utc_timestamp(std::chrono::system_clock::now()))}});
}

/// Lists the files that could not be read and the pictures that were omitted.
std::string notes_section(const std::vector<std::string>& notes) {
  if (notes.empty()) return {};
  constexpr std::size_t max_notes = 50;
  std::string items;
  for (std::size_t i = 0; i < std::min(notes.size(), max_notes); ++i) items += element("li", "", escape(notes[i]));
  if (notes.size() > max_notes) items += element("li", "", format_text("{} more", notes.size() - max_notes));
  return section("notes", "Missing from this report", element("ul", "class=\"notes\"", items));
}

void append(std::vector<std::string>& all, const std::vector<std::string>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

std::string status_counts(const SweepData& sweep) {
  std::vector<std::pair<std::string, int>> counts;
  for (const auto& arm : sweep.arms) {
    const auto found =
        std::find_if(counts.begin(), counts.end(), [&](const auto& count) { return count.first == arm.run.status; });
    if (found == counts.end()) {
      counts.emplace_back(arm.run.status, 1);
    } else {
      ++found->second;
    }
  }
  std::string text;
  for (const auto& [status, count] : counts) text += format_text(" {} {}", count, status_badge(status));
  return text;
}

Page sweep_page(const std::filesystem::path& directory) {
  const SweepData sweep = read_sweep_data(directory);
  Page page;
  page.title = sweep.config.run.name;
  page.subtitle =
      format_text("Slope sweep: {} slope{} × {} seed{}; slope varied in {}; {} images per arm.", sweep.slopes.size(),
                  plural_s(sweep.slopes.size()), sweep.seeds.size(), plural_s(sweep.seeds.size()),
                  describe(sweep.config.sweep.apply_to), grouped(sweep.config.training.total_images)) +
      status_counts(sweep);
  if (const auto& conditions = sweep.config.sweep.cross.list; conditions.size() > 1) {
    page.subtitle +=
        element("p", "",
                format_text("The pictures, the charts and the table of arms show the first of {} conditions.",
                            conditions.size()));
  }
  std::vector<PictureSource> sources;
  for (const auto& arm : sweep.arms) sources.push_back({arm.run.directory, arm.run.config.value_or(sweep.config)});
  const Pictures pictures = read_pictures(sources, sweep_layout(sweep.config), picture_budget, max_times);
  page.pictures = sweep_pictures_json(sweep, pictures);
  page.charts = Json::array();
  std::vector<std::string> notes = sweep.notes;
  for (const auto& arm : sweep.arms) append(notes, arm.run.notes);
  append(notes, pictures.notes);
  page.sections = {answer_section(sweep),
                   sweep_pictures_section(sweep, pictures),
                   sweep_scores_section(sweep, page.charts),
                   sweep_training_section(sweep, page.charts),
                   sweep_layers_section(sweep, page.charts),
                   arms_section(sweep),
                   sweep_config_section(sweep),
                   sweep_reproduce_section(sweep),
                   notes_section(notes)};
  return page;
}

Page run_page(const std::filesystem::path& directory) {
  const RunData run = read_run_data(directory);
  Page page;
  page.title = run.name;
  page.subtitle = "Run " + status_badge(run.status) + " " + grouped(run.images);
  if (run.config) page.subtitle += " of " + grouped(run.config->training.total_images);
  page.subtitle += " images seen";
  if (run.is_bad() && !run.last_error.empty()) page.subtitle += element("p", "class=\"words\"", escape(run.last_error));
  Pictures pictures;
  if (run.config) {
    pictures = read_pictures({{directory, *run.config}}, run_layout(*run.config), picture_budget, 2 * max_times);
  }
  page.pictures = run_pictures_json(run, pictures);
  page.charts = Json::array();
  std::vector<std::string> notes = run.notes;
  append(notes, pictures.notes);
  page.sections = {run_pictures_section(pictures),
                   run_scores_section(run, page.charts),
                   run_training_section(run, page.charts),
                   run_layers_section(run, page.charts),
                   run_config_section(run),
                   run_reproduce_section(run),
                   notes_section(notes)};
  return page;
}

void require_sweeps(const std::vector<std::filesystem::path>& directories) {
  for (std::size_t i = 0; i < directories.size(); ++i) {
    const auto& directory = directories[i];
    if (!std::filesystem::exists(directory / "sweep.yaml")) {
      const bool is_run = std::filesystem::exists(directory / "config.yaml");
      throw UsageError(display(directory) + (is_run ? " is a run; only sweeps can be compared"
                                                    : " is not a sweep: it contains no sweep.yaml"));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!std::filesystem::equivalent(directory, directories[j])) continue;
      throw UsageError(display(directories[j]) + " and " + display(directory) +
                       " are the same sweep; name each sweep only once");
    }
  }
}

Page comparison_page(const std::vector<std::filesystem::path>& directories) {
  std::vector<SweepData> sweeps;
  std::vector<std::string> notes;
  for (const auto& directory : directories) {
    sweeps.push_back(read_sweep_results(directory));
    append(notes, sweeps.back().notes);
  }
  const auto results = compared_results(sweeps);
  Page page;
  page.title = format_text("{} sweeps compared", sweeps.size());
  page.subtitle = "FD of each slope relative to the control of its own sweep; a value below 1 means a lower FD.";
  page.charts = Json::array();
  const std::string plots = forest_plots(results);
  const std::string sheets = comparison_sheets_section(sweeps, notes);
  page.sections = {comparison_answer_section(results), plots.empty() ? "" : section("plots", "Slopes", plots),
                   comparison_table_section(results),  sheets,
                   comparison_config_section(sweeps),  notes_section(notes)};
  return page;
}

}  // namespace

std::filesystem::path write_report(const std::filesystem::path& directory,
                                   const std::optional<std::filesystem::path>& out) {
  Page page;
  if (std::filesystem::exists(directory / "sweep.yaml")) {
    page = sweep_page(directory);
  } else if (std::filesystem::exists(directory / "config.yaml")) {
    page = run_page(directory);
  } else {
    throw UsageError(display(directory) +
                     " is neither a run nor a sweep: it contains neither config.yaml nor sweep.yaml");
  }
  const auto file = out.value_or(RunPaths(directory).report_file());
  if (out) make_parent_directories(file);
  write_file_atomic(file, page_html(page));
  return file;
}

std::filesystem::path write_comparison(const std::vector<std::filesystem::path>& directories,
                                       const std::filesystem::path& out) {
  require_sweeps(directories);
  const Page page = comparison_page(directories);
  make_parent_directories(out);
  write_file_atomic(out, page_html(page));
  return out;
}

std::optional<std::filesystem::path> try_write_report(const std::filesystem::path& directory) {
  try {
    return write_report(directory);
  } catch (const std::exception& error) {
    log::warning("cannot write the report: " + printable(error.what(), 1000));
    return std::nullopt;
  }
}

}  // namespace slopegan
