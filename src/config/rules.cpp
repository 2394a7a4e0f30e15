#include "config/rules.h"

#include <cmath>
#include <limits>

namespace slopegan {

bool contains(const Integers& rule, std::int64_t value) { return value >= rule.min && value <= rule.max; }

bool contains(const Reals& rule, double value) {
  return std::isfinite(value) && (rule.min_open ? value > rule.min : value >= rule.min) &&
         (rule.max_open ? value < rule.max : value <= rule.max);
}

std::string allowed(const Integers& rule) {
  std::string text = std::to_string(rule.min);
  text += rule.max == std::numeric_limits<std::int64_t>::max() ? " or more" : " to " + std::to_string(rule.max);
  if (!rule.zero.empty()) text += " (0: " + std::string(rule.zero) + ")";
  return text;
}

std::string allowed(const OneOf& rule) {
  std::vector<std::string> values;
  for (const std::int64_t value : rule.values) values.push_back(std::to_string(value));
  return join(values, ", ");
}

std::string allowed(const Reals& rule) {
  if (!rule.min_open && !rule.max_open) return format_text("{} to {}", shortest(rule.min), shortest(rule.max));
  return format_text("{} {} and {} {}", rule.min_open ? "above" : "at least", shortest(rule.min),
                     rule.max_open ? "below" : "at most", shortest(rule.max));
}

std::string allowed(Flag) { return "true, false"; }

std::string allowed(TextRule rule) {
  switch (rule) {
    case TextRule::run_name:
      return "1 to 64 letters, digits, '.', '_' and '-', but not . or ..";
    case TextRule::path:
      return "a path of at most 4096 bytes in UTF-8, without control characters";
    case TextRule::colour:
      return "white, black, none or #rrggbb in hexadecimal digits (in quotes, because # starts a comment in YAML)";
  }
  return "";
}

std::string allowed(const Extractors& rule) {
  return format_text("{}, or a path of at most 4096 bytes; or a list of at most {} of these",
                     allowed(Words<ExtractorKind>{}), rule.max_size);
}

std::string allowed(const Conditions& rule) {
  return format_text(
      "a map from keys to lists of values, such as {{generator.norm: [batch, none]}}, or a list of maps from keys to "
      "values; at most {} conditions",
      rule.max_size);
}

std::string allowed(const Slopes& rule) {
  return format_text(
      "a number from {}, a list with one number per layer, or {{from: 0.3, to: 0.01, over_images: 60000, shape: {}}}",
      allowed(rule.slope), join(words_of<SlopeShape>(), "|"));
}

}  // namespace slopegan
