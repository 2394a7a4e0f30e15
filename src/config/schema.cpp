#include "config/schema.h"

#include <limits>

#include <nlohmann/json.hpp>

#include "config/fields.h"

namespace slopegan {

namespace {

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
  // A run may be called 2026; the pattern is for text alone.
  if (rule == TextRule::run_name)
    return {{"type", {"string", "number"}}, {"pattern", "^(?!\\.{1,2}$)[A-Za-z0-9._-]{1,64}$"}};
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

Json default_of(std::int64_t value) { return value; }
Json default_of(double value) { return value; }
Json default_of(bool value) { return value; }
Json default_of(const std::string& value) { return value; }
Json default_of(const NegativeSlope& slope) { return slope.values.front(); }

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

/// Where "section.key" stands in the schema.
Json& place_of(Json& root, std::string_view key) {
  const auto dot = key.find('.');
  if (dot == std::string_view::npos) return root["properties"][std::string(key)];
  Json& section = root["properties"][std::string(key.substr(0, dot))];
  if (section.is_null()) {
    section = closed_object();
    section["type"] = {"object", "null"};  // all lines of a section may be commented out
  }
  return section["properties"][std::string(key.substr(dot + 1))];
}

}  // namespace

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
