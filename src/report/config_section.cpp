#include <algorithm>

#include "config/fields.h"
#include "config/print.h"
#include "report/html.h"
#include "report/sections.h"
#include "support/text.h"

namespace slopegan {

namespace {

struct ConfigKey {
  std::string name, help;
};

std::vector<ConfigKey> all_keys() {
  std::vector<ConfigKey> keys;
  const Config config;
  visit_fields(config, [&](std::string_view name, const auto&, const auto&, std::string_view help) {
    keys.push_back({std::string(name), std::string(help)});
  });
  return keys;
}

/// Different between the arms by their nature: no news.
bool is_always_different(const std::string& key) { return key == "run.name"; }

/// The different values of a key among the arms, in their order.
std::vector<std::string> values_of(const std::vector<const Config*>& configs, const std::string& key) {
  std::vector<std::string> values;
  for (const auto* config : configs) {
    std::string value = value_text(*config, key);
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(std::move(value));
  }
  return values;
}

std::string value_list(const std::vector<std::string>& values) {
  constexpr std::size_t most = 16;
  std::string text;
  for (std::size_t i = 0; i < std::min(values.size(), most); ++i) {
    text += (i > 0 ? ", " : "") + element("code", "", escape(values[i]));
  }
  return values.size() > most ? text + " and " + std::to_string(values.size() - most) + " more" : text;
}

std::string config_table(const std::vector<const Config*>& configs, bool is_sweep) {
  Table table;
  table.header = {"key", "value", "meaning"};
  const Config defaults;
  for (const auto& key : all_keys()) {
    const auto values = values_of(configs, key.name);
    std::string cell = value_list(values);
    std::string kind;
    if (values.size() > 1 && !is_always_different(key.name)) {
      kind = "differs";
      cell += " " + element("span", "class=\"badge open\"", "differs between the arms");
    } else if (values.front() != value_text(defaults, key.name)) {
      kind = "changed";
    }
    if (is_sweep && is_always_different(key.name)) cell = "each arm its own";
    table.rows.push_back({element("code", "", key.name), cell, escape(key.help)});
    table.row_classes.push_back(kind);
  }
  return table_html(table, is_sweep ? "The configuration of the arms. Marked: what differs between them. Bold: what "
                                      "is not the default."
                                    : "Bold: what is not the default.");
}

}  // namespace

std::string sweep_config_section(const SweepData& sweep) {
  std::vector<const Config*> configs;
  for (const auto& arm : sweep.arms) {
    if (arm.run.config) configs.push_back(&*arm.run.config);
  }
  if (configs.empty()) configs.push_back(&sweep.config);
  return section("config", "Configuration",
                 element("details", "",
                         "<summary>Every key, its value and what it means</summary>" + config_table(configs, true)));
}

std::string run_config_section(const RunData& run) {
  if (!run.config) return {};
  return section(
      "config", "Configuration",
      element("details", "",
              "<summary>Every key, its value and what it means</summary>" + config_table({&*run.config}, false)));
}

}  // namespace slopegan
