#include "config/keys.h"

#include <nlohmann/json.hpp>

#include "config/fields.h"
#include "config/print.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {
namespace {

std::string_view section_of(std::string_view key) {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
}

/// A key without a dot is its own last part, because npos + 1 is 0.
std::string_view last_part(std::string_view key) { return key.substr(key.rfind('.') + 1); }

std::vector<std::string> keys_ending_in(std::string_view part) {
  std::vector<std::string> keys;
  for (const auto& key : known_keys()) {
    if (last_part(key) == part) keys.push_back(key);
  }
  return keys;
}

std::vector<std::string> last_parts() {
  std::vector<std::string> parts;
  for (const auto& key : known_keys()) parts.emplace_back(last_part(key));
  return parts;
}

std::vector<std::string> keys_and_sections() {
  std::vector<std::string> names = known_keys();
  for (const auto& key : known_keys()) {
    if (const auto section = section_of(key); !section.empty()) names.emplace_back(section);
  }
  return names;
}

template <class Rule>
std::vector<std::string> words_allowed(const Rule&) {
  return {};
}

template <class Enum>
std::vector<std::string> words_allowed(const Words<Enum>&) {
  return words_of<Enum>();
}

std::vector<std::string> words_allowed(const Extractors&) { return words_of<ExtractorKind>(); }

std::vector<std::string> words_allowed(const Flag&) { return {"true", "false"}; }

std::vector<std::string> words_allowed(const OneOf& rule) {
  std::vector<std::string> words;
  for (const auto value : rule.values) words.push_back(std::to_string(value));
  return words;
}

template <class Rule>
bool names_path(const Rule&) {
  return false;
}

bool names_path(const TextRule& rule) { return rule == TextRule::path; }

bool names_path(const Extractors&) { return true; }

using Json = nlohmann::ordered_json;

Json schema_of(const Integers& rule) { return {{"type", "integer"}, {"minimum", rule.min}, {"maximum", rule.max}}; }

Json schema_of(const OneOf& rule) { return {{"enum", rule.values}}; }

Json schema_of(const Reals& rule) {
  return {{"type", "number"},
          {rule.min_open ? "exclusiveMinimum" : "minimum", rule.min},
          {rule.max_open ? "exclusiveMaximum" : "maximum", rule.max}};
}

Json schema_of(Flag) { return {{"type", "boolean"}}; }

Json schema_of(TextRule rule) {
  // A run name may be a number, such as 2026; the pattern applies to strings only.
  if (rule == TextRule::run_name)
    return {{"type", {"string", "number"}}, {"pattern", "^(?!\\.{1,2}$)[A-Za-z0-9._-]{1,64}$"}};
  if (rule == TextRule::colour) return {{"type", "string"}, {"pattern", "^(white|black|none|#[0-9A-Fa-f]{6})$"}};
  return {
      {"type", "string"}, {"minLength", 1}, {"maxLength", 4096}, {"pattern", "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"}};
}

template <class Enum>
Json schema_of(Words<Enum>) {
  return {{"enum", words_of<Enum>()}};
}

template <class Rule>
Json schema_of(const ListOf<Rule>& rule) {
  return {{"type", "array"}, {"items", schema_of(rule.each)}, {"maxItems", rule.max_size}};
}

Json closed_object() { return {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}}; }

Json schema_of(const Slopes& rule) {
  Json layers = {{"type", "array"}, {"items", schema_of(rule.slope)}, {"minItems", 2}, {"maxItems", max_slope_layers}};
  Json schedule = closed_object();
  SlopeSchedule any;
  visit_schedule(any, rule, [&](std::string_view name, const auto&, const auto& field_rule, bool required) {
    schedule["properties"][std::string(name)] = schema_of(field_rule);
    if (required) schedule["required"].push_back(name);
  });
  return {{"anyOf", {schema_of(rule.slope), std::move(layers), std::move(schedule)}}};
}

Json schema_of(const Extractors& rule) {
  const Json one = schema_of(TextRule::path);
  return {{"anyOf", {one, {{"type", "array"}, {"items", one}, {"minItems", 1}, {"maxItems", rule.max_size}}}}};
}

Json schema_of(const Conditions& rule) {
  const Json any_value = {{"type", {"array", "boolean", "number", "object", "string"}}};
  const Json names = {{"pattern", "^[a-z]+\\.[a-z0-9_]+$"}};
  const Json product = {{"type", "object"},
                        {"propertyNames", names},
                        {"additionalProperties", {{"type", "array"}, {"items", any_value}, {"minItems", 1}}}};
  const Json condition = {{"type", "object"}, {"propertyNames", names}, {"additionalProperties", any_value}};
  return {{"anyOf", {product, {{"type", "array"}, {"items", condition}, {"maxItems", rule.max_size}}}}};
}

Json default_of(std::int64_t value) { return value; }
Json default_of(double value) { return value; }
Json default_of(bool value) { return value; }
Json default_of(const std::string& value) { return value; }
Json default_of(const NegativeSlope& slope) { return slope.values.front(); }

Json default_of(const CrossConditions&) { return Json::object(); }

Json default_of(const ExtractorList& extractors) { return extractors.choices.front(); }

template <class Enum>
  requires std::is_enum_v<Enum>
Json default_of(Enum value) {
  return name_of(value);
}

template <class Value>
Json default_of(const std::vector<Value>& values) {
  Json list = Json::array();
  for (const Value& value : values) list.push_back(default_of(value));
  return list;
}

/// The location of "section.key" in the schema.
Json& place_of(Json& root, std::string_view key) {
  const auto dot = key.find('.');
  if (dot == std::string_view::npos) return root["properties"][std::string(key)];
  Json& section = root["properties"][std::string(key.substr(0, dot))];
  if (section.is_null()) {
    section = closed_object();
    section["type"] = {"object", "null"};  // every line of a section may be commented out
  }
  return section["properties"][std::string(key.substr(dot + 1))];
}

}  // namespace

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all;
    Config config;
    visit_fields(config, [&](std::string_view key, auto&, const auto&, std::string_view) { all.emplace_back(key); });
    return all;
  }();
  return keys;
}

bool is_known_key(std::string_view key) { return contains(known_keys(), key); }

bool is_section(std::string_view name) { return !keys_of_section(name).empty(); }

std::vector<std::string> keys_of_section(std::string_view section) {
  std::vector<std::string> keys;
  for (const auto& key : known_keys()) {
    if (!section.empty() && section_of(key) == section) keys.emplace_back(last_part(key));
  }
  return keys;
}

std::vector<std::string> keys_beside(std::string_view unknown) {
  if (const auto section = section_of(unknown); is_section(section)) return keys_of_section(section);
  std::vector<std::string> names;
  for (const std::string_view key : known_keys()) {
    const std::string_view top = section_of(key).empty() ? key : section_of(key);
    if (!contains(names, top)) names.emplace_back(top);
  }
  return names;
}

std::vector<std::string> similar_keys(std::string_view unknown) {
  constexpr std::size_t longest_compared = 80;
  if (unknown.size() > longest_compared) return {};
  if (auto keys = keys_ending_in(last_part(unknown)); !keys.empty()) return keys;
  if (const auto section = section_of(unknown); is_section(section)) {
    const std::string rest = nearest(unknown.substr(section.size() + 1), keys_of_section(section));
    if (!rest.empty()) return {std::string(section) + "." + rest};
  } else if (const std::string whole = nearest(unknown, keys_and_sections()); !whole.empty()) {
    return {whole};
  }
  const std::string part = nearest(last_part(unknown), last_parts());
  return part.empty() ? std::vector<std::string>{} : keys_ending_in(part);
}

std::vector<KeyDescription> key_descriptions() {
  const Config config;
  std::vector<KeyDescription> keys;
  visit_fields(config, [&](std::string_view key, const auto&, const auto& rule, std::string_view help) {
    keys.push_back({std::string(key), value_text(config, key), allowed(rule), std::string(help), words_allowed(rule),
                    names_path(rule)});
  });
  return keys;
}

std::string config_schema() {
  Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", "slopegan configuration"},
               {"type", {"object", "null"}},
               {"properties", Json::object()},
               {"additionalProperties", false}};
  const Config defaults;
  visit_fields(defaults, [&](std::string_view key, const auto& value, const auto& rule, std::string_view help) {
    Json schema = schema_of(rule);
    schema["description"] = std::string(help) + "; allowed: " + allowed(rule);
    schema["default"] = default_of(value);
    place_of(root, key) = std::move(schema);
  });
  return root.dump(2);
}

}  // namespace slopegan
