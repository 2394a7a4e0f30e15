#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "report/pictures.h"
#include "report/run_data.h"

/// The parts of the page, each markup of one <section>, or nothing where there is nothing to show. `charts` takes the
/// numbers behind the charts.
namespace slopegan {

using Json = nlohmann::ordered_json;

/// A <section> with a heading that the page's list of contents can point at.
std::string section(const std::string& id, const std::string& heading, const std::string& content);

std::string answer_section(const SweepData& sweep);
std::string sweep_pictures_section(const SweepData& sweep, const Pictures& pictures);
std::string run_pictures_section(const Pictures& pictures);
/// What the script needs to show any slope, seed and moment.
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
/// Files that could not be read.
std::string notes_section(const std::vector<std::string>& notes);

/// "0.2", "0 (ReLU)", "1 (linear)".
std::string slope_name(double slope);
/// A status as a coloured label.
std::string status_badge(const std::string& status);

}  // namespace slopegan
