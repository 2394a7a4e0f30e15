#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/rules.h"
#include "config/yaml_document.h"

/// Conversion of YAML values to typed fields. Each function checks the type and the rule. If either is violated, it
/// appends one or more issues that name `key` and the allowed values, and leaves `value` unchanged. A `rejected` node
/// is skipped. Paths are read as written; the caller expands them.
namespace slopegan {

using Issues = std::vector<Issue>;

void read_value(const YamlNode& node, std::string_view key, std::int64_t& value, const Integers& rule, Issues& issues);
void read_value(const YamlNode& node, std::string_view key, std::int64_t& value, const OneOf& rule, Issues& issues);
void read_value(const YamlNode& node, std::string_view key, double& value, const Reals& rule, Issues& issues);
void read_value(const YamlNode& node, std::string_view key, bool& value, Flag rule, Issues& issues);
void read_value(const YamlNode& node, std::string_view key, std::string& value, TextRule rule, Issues& issues);
void read_value(const YamlNode& node, std::string_view key, NegativeSlope& value, const Slopes& rule, Issues& issues);
void read_value(const YamlNode& node, std::string_view key, ExtractorList& value, const Extractors& rule,
                Issues& issues);
void read_value(const YamlNode& node, std::string_view key, CrossConditions& value, const Conditions& rule,
                Issues& issues);
void read_value(const YamlNode& node, std::string_view key, std::vector<double>& value, const ListOf<Reals>& rule,
                Issues& issues);
void read_value(const YamlNode& node, std::string_view key, std::vector<std::int64_t>& value,
                const ListOf<Integers>& rule, Issues& issues);

/// Parses an integer in decimal notation, as in a configuration. Leading zeros and floating-point notation (6e4, 5.0)
/// are allowed. Returns std::nullopt if `text` is not an integer or is out of range.
std::optional<std::int64_t> parse_whole_number(std::string_view text);

/// Appends an issue that says that a value has the wrong type. `expected` names the required type as a phrase that fits
/// after "not": "a number".
void add_wrong_type(const YamlNode& node, std::string_view key, const std::string& expected,
                    const std::string& allowed_values, Issues& issues);

/// Whether `rule` allows `text`.
bool matches(const std::string& text, TextRule rule);

/// Returns whether `node` is a list of at most `max_size` entries; appends an issue if it is not.
bool read_list_size(const YamlNode& node, std::string_view key, std::size_t max_size, const std::string& allowed_values,
                    Issues& issues);

/// Returns the index of the value of `node` in `words`. If `words` does not contain the value, appends an issue and
/// returns std::nullopt.
std::optional<std::size_t> read_word(const YamlNode& node, std::string_view key, const std::vector<std::string>& words,
                                     Issues& issues);

template <class Enum>
void read_value(const YamlNode& node, std::string_view key, Enum& value, Words<Enum>, Issues& issues) {
  if (const auto index = read_word(node, key, words_of<Enum>(), issues)) value = enum_values<Enum>[*index];
}

template <class Value, class Rule>
void read_list(const YamlNode& node, std::string_view key, std::vector<Value>& values, const ListOf<Rule>& rule,
               Issues& issues) {
  if (!read_list_size(node, key, rule.max_size, allowed(rule), issues)) return;
  const std::size_t issues_before = issues.size();
  std::vector<Value> read;
  for (const YamlNode& item : node.items) {
    Value value{};
    read_value(item, format_text("{}[{}]", key, read.size()), value, rule.each, issues);
    read.push_back(value);
  }
  if (issues.size() == issues_before) values = std::move(read);
}

template <class Enum>
void read_value(const YamlNode& node, std::string_view key, std::vector<Enum>& value, const ListOf<Words<Enum>>& rule,
                Issues& issues) {
  read_list(node, key, value, rule, issues);
}

}  // namespace slopegan
