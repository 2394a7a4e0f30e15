#include "run/diagnostics_log.h"

#include "run/json_lines.h"
#include "run/json_text.h"

namespace slopegan {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const LayerDiagnosis& layer) {
  return {{"name", layer.name},
          {"negative_slope", layer.negative_slope},
          {"units", layer.units},
          {"values", layer.values},
          {layer.is_dead_kind() ? "dead" : "always_negative", layer.never_positive},
          {"always_positive", layer.always_positive},
          {"dormant", layer.dormant},
          {"negative_fraction", layer.negative_fraction},
          {"slope_energy", layer.slope_energy}};
}

LayerDiagnosis layer_diagnosis(const nlohmann::json& json) {
  LayerDiagnosis layer;
  layer.name = json.at("name").get<std::string>();
  layer.negative_slope = number_or_nan(json.at("negative_slope"));
  layer.units = whole_number(json.at("units"));
  layer.values = whole_number(json.at("values"));
  layer.never_positive = number_or_nan(json.at(layer.is_dead_kind() ? "dead" : "always_negative"));
  layer.always_positive = number_or_nan(json.at("always_positive"));
  layer.dormant = number_or_nan(json.at("dormant"));
  layer.negative_fraction = number_or_nan(json.at("negative_fraction"));
  layer.slope_energy = number_or_nan(json.at("slope_energy"));
  return layer;
}

Json to_json(const ParameterDiagnosis& parameter) {
  return {{"name", parameter.name},
          {"gradient_norm", parameter.gradient_norm},
          {"zero_gradients", parameter.zero_gradients},
          {"update_ratio", parameter.update_ratio}};
}

ParameterDiagnosis parameter_diagnosis(const nlohmann::json& json) {
  return {json.at("name").get<std::string>(), number_or_nan(json.at("gradient_norm")),
          number_or_nan(json.at("zero_gradients")), number_or_nan(json.at("update_ratio"))};
}

template <class Items>
Json to_json_array(const Items& items) {
  Json array = Json::array();
  for (const auto& item : items) array.push_back(to_json(item));
  return array;
}

DiagnosticsRecord diagnostics_record(const nlohmann::json& line) {
  DiagnosticsRecord record;
  record.images = whole_number(line.at("images"));
  record.probes = whole_number(line.at("probes"));
  for (const auto& layer : line.at("layers")) record.layers.push_back(layer_diagnosis(layer));
  for (const auto& parameter : line.at("parameters")) record.parameters.push_back(parameter_diagnosis(parameter));
  const auto& d = line.at("discriminator");
  record.accuracy_train = number_or_nan(d.at("accuracy_train"));
  if (d.contains("accuracy_held_out")) record.accuracy_held_out = number_or_nan(d.at("accuracy_held_out"));
  record.accuracy_fake = number_or_nan(d.at("accuracy_fake"));
  record.margin = number_or_nan(d.at("margin"));
  record.image_gradient_norm = number_or_nan(d.at("image_gradient_norm"));
  const auto& samples = line.at("samples");
  record.diversity = number_or_nan(samples.at("diversity"));
  record.saturated_real = number_or_nan(samples.at("saturated_real"));
  record.saturated_fake = number_or_nan(samples.at("saturated_fake"));
  record.sentinels = line.at("sentinels").get<std::vector<std::string>>();
  record.seconds = number_or_nan(line.at("seconds"));
  return record;
}

}  // namespace

std::string diagnostics_text(const DiagnosticsRecord& record, int indent) {
  Json discriminator = {{"accuracy_train", record.accuracy_train}};
  if (record.accuracy_held_out) discriminator["accuracy_held_out"] = *record.accuracy_held_out;
  discriminator["accuracy_fake"] = record.accuracy_fake;
  discriminator["margin"] = record.margin;
  discriminator["image_gradient_norm"] = record.image_gradient_norm;

  Json line = {{"images", record.images}, {"probes", record.probes}};
  line["layers"] = to_json_array(record.layers);
  line["parameters"] = to_json_array(record.parameters);
  line["discriminator"] = std::move(discriminator);
  line["samples"] = {{"diversity", record.diversity},
                     {"saturated_real", record.saturated_real},
                     {"saturated_fake", record.saturated_fake}};
  line["sentinels"] = record.sentinels;
  line["seconds"] = record.seconds;
  return json_text(line, indent);
}

std::vector<DiagnosticsRecord> read_diagnostics(const std::filesystem::path& file) {
  std::vector<DiagnosticsRecord> records;
  for_each_json_line(file, "diagnostics",
                     [&](const nlohmann::json& line) { records.push_back(diagnostics_record(line)); });
  return records;
}

}  // namespace slopegan
