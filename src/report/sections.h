#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "report/chart.h"
#include "report/comparison.h"
#include "report/pictures.h"
#include "report/run_data.h"
#include "statistics/findings.h"

/// The sections of the page. Each function whose name ends in _section returns the markup of one <section>, or an
/// empty string if there is nothing to show. The values of charts are appended to `charts`.
namespace slopegan {

using Json = nlohmann::ordered_json;

/// A <section> with a heading, which also appears in the page's table of contents.
std::string section(const std::string& id, const std::string& heading, const std::string& content);

/// A forest plot: the FD of each slope relative to the control, with its interval, on a logarithmic axis. Colour and
/// shape show the verdict. Empty if no slope is compared with the control.
std::string forest_plot(const Findings& findings);
/// One forest plot per slope, with one row per result, on a common axis. Empty if there are no results.
std::string forest_plots(const std::vector<ComparedResult>& results);
/// A drawing that shows which arms of a race were trained and at which look the verdict on each slope was reached.
/// Empty if the sweep is not a race.
std::string race_strip(const SweepData& sweep);
/// A heat map of slope × condition for a crossed sweep: the FD relative to the control, with intervals on hover.
std::string heat_map(const CrossStatistics& cross);

std::string answer_section(const SweepData& sweep);

std::string comparison_answer_section(const std::vector<ComparedResult>& results);
std::string comparison_table_section(const std::vector<ComparedResult>& results);
/// The contact sheets, each in a closed <details> element. Appends a note for each sheet that is too large for the page
/// or cannot be read.
std::string comparison_sheets_section(const std::vector<SweepData>& sweeps, std::vector<std::string>& notes);
/// The configuration keys whose values differ between the sweeps, except those that only concern how a sweep is run
/// (such as run.name and sweep.jobs).
std::string comparison_config_section(const std::vector<SweepData>& sweeps);

std::string sweep_pictures_section(const SweepData& sweep, const Pictures& pictures);
std::string run_pictures_section(const Pictures& pictures);
/// The pictures of all slopes, seeds and times, as data for the page's script.
Json sweep_pictures_json(const SweepData& sweep, const Pictures& pictures);
Json run_pictures_json(const RunData& run, const Pictures& pictures);

std::string sweep_scores_section(const SweepData& sweep, Json& charts);
std::string run_scores_section(const RunData& run, Json& charts);
std::string sweep_training_section(const SweepData& sweep, Json& charts);
std::string run_training_section(const RunData& run, Json& charts);
std::string sweep_layers_section(const SweepData& sweep, Json& charts);
std::string run_layers_section(const RunData& run, Json& charts);
std::string arms_section(const SweepData& sweep);
std::string sweep_config_section(const SweepData& sweep);
std::string run_config_section(const RunData& run);
std::string sweep_reproduce_section(const SweepData& sweep);
std::string run_reproduce_section(const RunData& run);

/// The x axis of charts over training, in images seen.
ChartAxis training_axis(const SweepData& sweep);
ChartAxis training_axis(const RunData& run);
/// A ratio with three significant digits. A few seeds do not justify more digits.
std::string ratio_text(double ratio);
/// The limits of a ratio: "0.812 … 0.974", "no limits", or "–" if there are none or if they result from failures alone.
std::string limits_text(const std::optional<Interval>& limits);
/// The status of a run as a coloured label.
std::string status_badge(const std::string& status);

}  // namespace slopegan
