#include "config/conditions.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include "config/fields.h"
#include "config/keys.h"
#include "config/print.h"
#include "config/read_value.h"
#include "support/text.h"

namespace slopegan {
namespace {

void set_key(Config& config, const YamlNode& node, std::string_view key, std::string_view shown_key, Issues& issues) {
  visit_fields(config, [&](std::string_view name, auto& field, const auto& rule, std::string_view) {
    if (name == key) read_value(node, shown_key, field, rule, issues);
  });
}

std::string unknown_key_text(std::string_view key, const std::string& unknown) {
  const auto similar = similar_keys(unknown);
  return format_text("{}: {} is not a key; {}", key, printable(unknown, 100),
                     similar.empty() ? "write it with its section, such as generator.norm"
                                     : "did you mean " + join(similar, " or ") + "?");
}

/// Reads one value of one key. Returns std::nullopt if an issue was appended.
std::optional<Setting> read_setting(const YamlNode& node, std::string_view key, const std::string& name,
                                    Issues& issues) {
  Config any;
  const std::size_t issues_before = issues.size();
  set_key(any, node, name, format_text("{}: {}", key, name), issues);
  if (issues.size() != issues_before || node.kind == YamlNode::Kind::rejected) return std::nullopt;
  return Setting{name, value_text(any, name)};
}

/// Whether a sweep may vary the key. Excludes the seed, training.total_images, and keys that change the real images
/// (except data.flip) or what is measured, or that do not affect the training.
bool can_be_crossed(std::string_view key) {
  if (key == "data.flip") return true;
  constexpr std::array<std::string_view, 12> excluded = {
      "seed",     "run.",        "data.",    "training.total_images", "training.device", "training.threads",
      "samples.", "checkpoint.", "metrics.", "diagnostics.",          "events.",         "sweep."};
  return std::ranges::none_of(excluded, [&](std::string_view prefix) { return key.starts_with(prefix); });
}

/// Whether a condition may set the key of the entry; appends an issue if not.
bool check_key(const YamlEntry& entry, std::string_view key, Issues& issues) {
  if (!is_known_key(entry.key)) {
    issues.push_back({entry.line, unknown_key_text(key, entry.key)});
    return false;
  }
  if (can_be_crossed(entry.key)) return true;
  issues.push_back({entry.line, format_text("{}: {} cannot vary within a sweep; allowed: keys that change how the "
                                            "networks are trained, such as generator.norm or loss.kind",
                                            key, entry.key)});
  return false;
}

/// The values of one key in a map from keys to lists. Appends an issue if they are not a list with at least one value.
std::vector<Setting> read_settings(const YamlEntry& entry, std::string_view key, const Conditions& rule,
                                   Issues& issues) {
  std::vector<Setting> settings;
  const std::string name = format_text("{}: {}", key, entry.key);
  if (entry.value.kind != YamlNode::Kind::sequence) {
    add_wrong_type(entry.value, name, "a list of values", allowed(rule), issues);
  } else if (entry.value.items.empty()) {
    issues.push_back({entry.line, name + " has no values; allowed: " + allowed(rule)});
  }
  for (const YamlNode& item : entry.value.items) {
    if (auto setting = read_setting(item, key, entry.key, issues)) settings.push_back(std::move(*setting));
  }
  return settings;
}

/// All combinations of the values of each key; the last key varies fastest.
CrossConditions read_product(const YamlNode& node, std::string_view key, const Conditions& rule, Issues& issues) {
  CrossConditions cross{{{}}};
  for (const YamlEntry& entry : node.entries) {
    if (!check_key(entry, key, issues)) continue;
    const auto settings = read_settings(entry, key, rule, issues);
    CrossConditions longer;
    for (const auto& condition : cross.list) {
      if (longer.list.size() > rule.max_size) break;
      for (const auto& setting : settings) {
        longer.list.push_back(condition);
        longer.list.back().push_back(setting);
      }
    }
    cross = std::move(longer);
  }
  return cross;
}

CrossConditions read_conditions(const YamlNode& node, std::string_view key, Issues& issues) {
  CrossConditions cross;
  for (const YamlNode& item : node.items) {
    auto& condition = cross.list.emplace_back();
    if (item.kind != YamlNode::Kind::map) {
      add_wrong_type(item, format_text("{}[{}]", key, cross.list.size() - 1), "a map from keys to values",
                     "a condition such as {generator.norm: none}", issues);
      continue;
    }
    for (const YamlEntry& entry : item.entries) {
      if (!check_key(entry, key, issues)) continue;
      if (auto setting = read_setting(entry.value, key, entry.key, issues)) condition.push_back(std::move(*setting));
    }
  }
  return cross;
}

/// Appends an issue if two conditions set the same keys to the same values.
void check_distinct(const CrossConditions& cross, const YamlNode& node, std::string_view key, Issues& issues) {
  for (std::size_t i = 0; i < cross.list.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!std::ranges::is_permutation(cross.list[i], cross.list[j])) continue;
      issues.push_back(
          {node.line, format_text("{} contains the condition {{{}}} twice", key, settings_text(cross.list[i]))});
      return;
    }
  }
}

}  // namespace

Config with_settings(Config config, const std::vector<Setting>& settings) {
  for (const auto& setting : settings) {
    Issues issues;
    const YamlDocument document = parse_yaml(setting.value);
    set_key(config, document.root, setting.key, setting.key, issues);
    if (!issues.empty()) throw std::logic_error("unchecked condition: " + issues.front().message);
  }
  return config;
}

std::vector<std::string> crossed_keys(const CrossConditions& cross) {
  std::vector<std::string> keys;
  for (const auto& key : known_keys()) {
    const bool is_set = std::ranges::any_of(cross.list, [&](const auto& condition) {
      return std::ranges::any_of(condition, [&](const Setting& setting) { return setting.key == key; });
    });
    if (is_set) keys.push_back(key);
  }
  return keys;
}

void read_value(const YamlNode& node, std::string_view key, CrossConditions& value, const Conditions& rule,
                Issues& issues) {
  const std::size_t issues_before = issues.size();
  if (node.kind != YamlNode::Kind::map && node.kind != YamlNode::Kind::sequence) {
    return add_wrong_type(node, key, "a map or a list of maps", allowed(rule), issues);
  }
  CrossConditions read;
  if (node.kind == YamlNode::Kind::sequence) {
    read = read_conditions(node, key, issues);
  } else if (!node.entries.empty()) {
    read = read_product(node, key, rule, issues);
  }
  if (issues.size() != issues_before) return;
  if (read.list.size() > rule.max_size) {
    // read_product stops early, so the number of conditions is unknown.
    issues.push_back(
        {node.line, format_text("{} has more than {} conditions; allowed: {}", key, rule.max_size, allowed(rule))});
    return;
  }
  check_distinct(read, node, key, issues);
  if (issues.size() == issues_before) value = std::move(read);
}

}  // namespace slopegan
