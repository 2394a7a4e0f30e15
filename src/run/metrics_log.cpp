#include "run/metrics_log.h"

#include <limits>

#include "run/json_lines.h"

namespace slopegan {

namespace {

double metric_number(const nlohmann::json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

std::map<std::string, double> metric_numbers(const nlohmann::json& object) {
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : object.items()) numbers[name] = metric_number(value);
  return numbers;
}

MetricsRecord metrics_record(const nlohmann::json& line) {
  MetricsRecord record;
  record.images = line.at("images").get<std::int64_t>();
  record.extractor = line.at("extractor").get<std::string>();
  record.samples = line.at("samples").get<std::int64_t>();
  record.values = metric_numbers(line.at("values"));
  record.floors = metric_numbers(line.at("floors"));
  record.floor_samples = line.value("floor_samples", std::int64_t{0});
  if (line.contains("fd_bias")) record.fd_bias = metric_number(line.at("fd_bias"));
  if (line.contains("fd_repeat")) record.fd_repeat = metric_number(line.at("fd_repeat"));
  record.seconds = metric_number(line.at("seconds"));
  return record;
}

}  // namespace

std::string metric_title(const std::string& name, const MetricsRecord& record) {
  static const std::map<std::string, std::pair<const char*, const char*>> written = {
      {"fd", {"FD", "FID"}}, {"kd", {"KD", "KID"}}, {"classifier_score", {"classifier_score", "IS"}}};
  const auto found = written.find(name);
  const bool is_inception = record.extractor.starts_with("inception@");
  const std::string title = found == written.end() ? name : is_inception ? found->second.second : found->second.first;
  return title + "[" + record.extractor + format(",n=%lld]", static_cast<long long>(record.samples));
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

}  // namespace slopegan
