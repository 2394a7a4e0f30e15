#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "support/text.h"

/// The rules for the values of configuration keys. A rule is plain data and is listed with its field in fields.h.
/// read_value checks values against the rule, and allowed() describes it.
namespace slopegan {

/// Integers from min to max, both included. `zero` describes the special meaning of 0, if it has one.
struct Integers {
  std::int64_t min;
  std::int64_t max;
  std::string_view zero = {};
};

struct OneOf {
  std::array<std::int64_t, 3> values;
};

/// Finite numbers from min to max. An open end excludes the bound itself.
struct Reals {
  double min;
  double max;
  bool min_open = false;
  bool max_open = false;
};

struct Flag {};

enum class TextRule { run_name, path, colour };

/// The names of an enumeration's values.
template <class Enum>
struct Words {};

/// A list of at most `max_size` values.
template <class Rule>
struct ListOf {
  Rule each;
  std::size_t max_size;
};

/// The rule for a list of values of `Enum`. The list has at most as many entries as `Enum` has values.
template <class Enum>
constexpr ListOf<Words<Enum>> subset_of() {
  return {{}, enum_values<Enum>.size()};
}

/// The three forms of a negative slope: a number, a list with one number per layer, or a schedule.
struct Slopes {
  Reals slope;
  Integers over_images;
};

/// One feature extractor, or a list of at most `max_size`. Each is a name from ExtractorKind or a path.
struct Extractors {
  std::size_t max_size;
};

/// The conditions of a sweep, at most `max_size`: either a map from keys to lists of values, where each combination of
/// values is a condition, or a list of maps from keys to values, where each map is a condition.
struct Conditions {
  std::size_t max_size;
};

/// The maximum length of a list of slopes. validate() checks the exact length, which depends on the resolution.
inline constexpr std::size_t max_slope_layers = 16;

/// Calls visit(key, field, rule, required) for each key of a schedule.
template <class Schedule, class Visitor>
void visit_schedule(Schedule& schedule, const Slopes& rule, Visitor&& visit) {
  visit("from", schedule.from, rule.slope, true);
  visit("to", schedule.to, rule.slope, true);
  visit("over_images", schedule.over_images, rule.over_images, true);
  visit("shape", schedule.shape, Words<SlopeShape>{}, false);
}

bool contains(const Integers& rule, std::int64_t value);
bool contains(const Reals& rule, double value);

/// The values that a rule allows, for messages and help: "1 to 65536", "above 0 and at most 1", "auto, float32,
/// bfloat16".
std::string allowed(const Integers& rule);
std::string allowed(const OneOf& rule);
std::string allowed(const Reals& rule);
std::string allowed(Flag);
std::string allowed(TextRule rule);
std::string allowed(const Slopes& rule);
std::string allowed(const Extractors& rule);
std::string allowed(const Conditions& rule);

template <class Enum>
std::vector<std::string> words_of() {
  std::vector<std::string> words;
  words.reserve(enum_values<Enum>.size());
  for (const Enum value : enum_values<Enum>) words.emplace_back(name_of(value));
  return words;
}

template <class Enum>
std::string allowed(Words<Enum>) {
  return join(words_of<Enum>(), ", ");
}

template <class Enum>
std::string allowed(const ListOf<Words<Enum>>& rule) {
  return format_text("a list of at most {} of the names {}", rule.max_size, allowed(rule.each));
}

template <class Rule>
std::string allowed(const ListOf<Rule>& rule) {
  return format_text("a list of at most {} numbers (each: {})", rule.max_size, allowed(rule.each));
}

}  // namespace slopegan
