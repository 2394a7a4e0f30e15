#include "run/metrics_log.h"

#include "run/json_lines.h"
#include "run/json_text.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::map<std::string, double> metric_numbers(const nlohmann::json& object) {
  if (!object.is_object()) throw WrongJsonType("numbers by name are expected");
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : object.items()) numbers[name] = number_or_nan(value);
  return numbers;
}

MetricsRecord metrics_record(const nlohmann::json& line) {
  MetricsRecord record;
  record.images = whole_number(line.at("images"));
  record.extractor = line.at("extractor").get<std::string>();
  record.samples = whole_number(line.at("samples"));
  record.values = metric_numbers(line.at("values"));
  record.floors = metric_numbers(line.at("floors"));
  if (line.contains("floor_samples")) record.floor_samples = whole_number(line.at("floor_samples"));
  if (line.contains("fd_bias")) record.fd_bias = number_or_nan(line.at("fd_bias"));
  if (line.contains("fd_repeat")) record.fd_repeat = number_or_nan(line.at("fd_repeat"));
  record.seconds = number_or_nan(line.at("seconds"));
  return record;
}

}  // namespace

std::string metric_title(const std::string& name, const MetricsRecord& record) {
  static const std::map<std::string, std::pair<const char*, const char*>> written = {
      {"fd", {"FD", "FID"}}, {"kd", {"KD", "KID"}}, {"classifier_score", {"classifier_score", "IS"}}};
  const auto found = written.find(name);
  const bool is_inception = record.extractor.starts_with("inception@");
  const std::string title = found == written.end() ? printable(name)
                            : is_inception         ? found->second.second
                                                   : found->second.first;
  return title + "[" + printable(record.extractor) + format_text(",n={}]", record.samples);
}

std::string metrics_line(const MetricsRecord& record) {
  nlohmann::ordered_json line;
  line["images"] = record.images;
  line["extractor"] = record.extractor;
  line["samples"] = record.samples;
  line["values"] = record.values;
  line["floors"] = record.floors;
  line["floor_samples"] = record.floor_samples;
  if (record.fd_bias) line["fd_bias"] = *record.fd_bias;
  if (record.fd_repeat) line["fd_repeat"] = *record.fd_repeat;
  line["seconds"] = record.seconds;
  return json_text(line);
}

std::vector<MetricsRecord> read_metrics(const std::filesystem::path& file) {
  std::vector<MetricsRecord> records;
  for_each_json_line(file, "metrics", [&](const nlohmann::json& line) { records.push_back(metrics_record(line)); });
  return records;
}

std::optional<MetricsRecord> read_last_metrics(const std::filesystem::path& file) {
  MetricsRecord record;
  const bool found = take_last_json_line(file, [&](const nlohmann::json& line) { record = metrics_record(line); });
  return found ? std::optional(record) : std::nullopt;
}

}  // namespace slopegan
