#include "run/history.h"

#include "run/json_lines.h"
#include "run/json_text.h"

namespace slopegan {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

/// The one list of the fields, for both directions.
template <typename Record, typename Visit>
void visit_fields(Record& record, Visit&& visit) {
  visit("images", record.images);
  visit("step", record.step);
  visit("discriminator_loss", record.discriminator_loss);
  visit("generator_loss", record.generator_loss);
  visit("d_real", record.d_real);
  visit("d_fake", record.d_fake);
  visit("generator_gradient_norm", record.generator_gradient_norm);
  visit("discriminator_gradient_norm", record.discriminator_gradient_norm);
  visit("gradient_penalty", record.gradient_penalty);
  visit("generator_slope", record.generator_slope);
  visit("discriminator_slope", record.discriminator_slope);
  visit("seconds", record.seconds);
  visit("images_per_second", record.images_per_second);
  visit("memory_mib", record.memory_mib);
}

struct Write {
  ordered_json& line;
  template <typename Value>
  void operator()(const char* name, const Value& value) {
    line[name] = value;
  }
  void operator()(const char* name, const std::optional<double>& value) {
    if (value) line[name] = *value;
  }
};

struct Read {
  const json& line;
  void operator()(const char* name, std::int64_t& value) { value = whole_number(line.at(name)); }
  void operator()(const char* name, double& value) { value = number_or_nan(line.at(name)); }
  void operator()(const char* name, std::optional<double>& value) {
    if (line.contains(name)) (*this)(name, value.emplace());
  }
};

}  // namespace

std::string history_line(const HistoryRecord& record) {
  ordered_json line = ordered_json::object();
  visit_fields(record, Write{line});
  return json_text(line);
}

std::vector<HistoryRecord> read_history(const std::filesystem::path& file) {
  std::vector<HistoryRecord> records;
  for_each_json_line(file, "a history", [&](const json& line) { visit_fields(records.emplace_back(), Read{line}); });
  return records;
}

std::optional<HistoryRecord> read_last_history(const std::filesystem::path& file) {
  HistoryRecord record;
  const bool found = take_last_json_line(file, [&](const json& line) { visit_fields(record, Read{line}); });
  return found ? std::optional(record) : std::nullopt;
}

}  // namespace slopegan
