#include "config/print.h"

#include <algorithm>
#include <stdexcept>

#include "config/fields.h"
#include "support/expand_path.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {
namespace {

std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(double value) { return shortest(value); }
std::string text_of(bool value) { return value ? "true" : "false"; }

/// Whether YAML 1.1 parsers read `text` as a boolean or null instead of a string.
bool is_reserved(std::string_view text) {
  const std::string_view reserved[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  return contains(reserved, lower_case(text));
}

std::string text_of(const std::string& value) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_safe = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '_' || c == '-';
  };
  const bool starts_well = !value.empty() && (is_letter(value.front()) || value.front() == '/');
  if (starts_well && std::all_of(value.begin(), value.end(), is_safe) && !is_reserved(value)) return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

template <class Enum>
  requires std::is_enum_v<Enum>
std::string text_of(Enum value) {
  return std::string(name_of(value));
}

template <class Value>
std::string text_of(const std::vector<Value>& values) {
  std::vector<std::string> parts;
  for (const Value& value : values) parts.push_back(text_of(value));
  return format_text("[{}]", join(parts, ", "));
}

std::string text_of(const NegativeSlope& slope) {
  if (!slope.schedule) return slope.values.size() == 1 ? text_of(slope.values.front()) : text_of(slope.values);
  std::vector<std::string> parts;
  visit_schedule(*slope.schedule, rules::slopes, [&](std::string_view name, const auto& field, const auto&, bool) {
    parts.push_back(format_text("{}: {}", name, text_of(field)));
  });
  return format_text("{{{}}}", join(parts, ", "));
}

std::string text_of(const ExtractorList& extractors) {
  return extractors.choices.size() == 1 ? text_of(extractors.choices.front()) : text_of(extractors.choices);
}

std::string text_of(const CrossConditions& cross) {
  if (cross.list.empty()) return "{}";
  std::vector<std::string> conditions;
  for (const auto& condition : cross.list) conditions.push_back(format_text("{{{}}}", settings_text(condition)));
  return format_text("[{}]", join(conditions, ", "));
}

template <class Value, class Rule>
std::string field_text(const Value& value, const Rule&) {
  return text_of(value);
}

/// Escapes paths so that nothing in them is expanded when they are read.
std::string field_text(const std::string& value, TextRule rule) {
  return text_of(rule == TextRule::path ? unexpanded_path(value) : value);
}

std::string field_text(ExtractorList extractors, const Extractors&) {
  for (auto& choice : extractors.choices) choice = unexpanded_path(choice);
  return text_of(extractors);
}

bool is_omitted(const Config& config, std::string_view key) {
  return config.data.as_in_0_9 && contains(keys_since_0_9, key);
}

struct FieldText {
  std::string_view key;
  std::string value;
  std::string allowed;
  std::string_view help;
};

std::vector<FieldText> field_texts(const Config& config) {
  std::vector<FieldText> fields;
  visit_fields(config, [&](std::string_view key, const auto& value, const auto& rule, std::string_view help) {
    fields.push_back({key, is_omitted(config, key) ? "as in 0.9" : field_text(value, rule), allowed(rule), help});
  });
  return fields;
}

std::string print(const Config& config, bool with_help) {
  std::string text;
  std::string_view section;
  for (const FieldText& field : field_texts(config)) {
    if (is_omitted(config, field.key)) continue;
    const std::size_t dot = field.key.find('.');
    const bool nested = dot != std::string_view::npos;
    const std::string_view field_section = nested ? field.key.substr(0, dot) : std::string_view();
    if (field_section != section) {
      if (with_help) text += '\n';
      text += format_text("{}:\n", field_section);
    }
    section = field_section;
    const std::string indent = nested ? "  " : "";
    if (with_help) {
      text += format_text("{}# {}\n{}# allowed: {}\n", indent, field.help, indent, field.allowed);
    }
    text += format_text("{}{}: {}\n", indent, nested ? field.key.substr(dot + 1) : field.key, field.value);
  }
  return text;
}

}  // namespace

std::string to_yaml(const Config& config) { return print(config, false); }

std::string to_yaml_with_help(const Config& config) { return print(config, true); }

std::string value_text(const Config& config, std::string_view key) {
  for (const FieldText& field : field_texts(config)) {
    if (field.key == key) return field.value;
  }
  throw std::out_of_range("no configuration key " + std::string(key));
}

std::vector<Difference> differences(const Config& before, const Config& after) {
  const auto old_fields = field_texts(before);
  const auto new_fields = field_texts(after);
  std::vector<Difference> found;
  for (std::size_t i = 0; i < old_fields.size(); ++i) {
    if (old_fields[i].value == new_fields[i].value) continue;
    found.push_back({std::string(old_fields[i].key), old_fields[i].value, new_fields[i].value});
  }
  return found;
}

std::string settings_text(const std::vector<Setting>& settings) {
  std::vector<std::string> parts;
  for (const auto& setting : settings) parts.push_back(setting.key + ": " + setting.value);
  return join(parts, ", ");
}

std::string yaml_scalar(const std::string& text) { return text_of(text); }

}  // namespace slopegan
