#include "config/read_value.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {
namespace {

using Kind = YamlNode::Kind;

/// The scalar as it is shown in messages.
std::string shown(const YamlNode& node) {
  const std::string text = printable(node.text, 60);
  return node.quoted ? '"' + text + '"' : text;
}

void add_issue(const YamlNode& node, std::string_view key, const std::string& what, const std::string& allowed_values,
               Issues& issues) {
  issues.push_back({node.line, std::string(key) + what + "; allowed: " + allowed_values});
}

void add_out_of_range(const YamlNode& node, std::string_view key, const std::string& allowed_values, Issues& issues) {
  add_issue(node, key, " = " + shown(node) + " is out of range", allowed_values, issues);
}

bool is_plain(const YamlNode& node) { return node.kind == Kind::scalar && !node.quoted; }

/// Converts the decimal number in `text`, which std::from_chars reports as out of range. Returns NaN if the magnitude
/// is too large for a double. A magnitude that is too small becomes the smallest positive double instead of 0, so range
/// checks give the right results: 1e-400 is above 0, -1e-400 is not, and neither is a whole number.
double out_of_double_range(std::string_view text) {
  const double value = std::strtod(std::string(text).c_str(), nullptr);
  if (std::isinf(value)) return std::numeric_limits<double>::quiet_NaN();
  return value != 0 ? value : std::copysign(std::numeric_limits<double>::denorm_min(), value);
}

/// Parses a decimal number. Returns NaN if it is not finite or too large for a double, and std::nullopt if `text` is
/// not a number.
std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const std::string_view unsigned_text = text.starts_with('-') ? text.substr(1) : text;
  for (const std::string_view name : {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"}) {
    if (unsigned_text == name) return std::numeric_limits<double>::quiet_NaN();
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return out_of_double_range(text);
  return std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
}

enum class Parsed { ok, not_whole, too_large };

/// Also accepts integers in floating-point notation: 6e4, 5.0.
Parsed parse_integer(std::string_view text, std::int64_t& value) {
  std::string_view digits = text;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end == digits.data() + digits.size() && !digits.empty()) {
    return error == std::errc() ? Parsed::ok : Parsed::too_large;
  }
  const auto number = parse_number(text);
  if (!number) return Parsed::not_whole;
  constexpr double exact_up_to = 9007199254740992.0;  // 2^53: above this, doubles do not represent every integer
  if (!(std::abs(*number) <= exact_up_to)) return Parsed::too_large;
  if (*number != std::floor(*number)) return Parsed::not_whole;
  value = static_cast<std::int64_t>(*number);
  return Parsed::ok;
}

/// Reads any 64-bit integer. For other values, appends an issue and returns std::nullopt.
std::optional<std::int64_t> read_integer(const YamlNode& node, std::string_view key, const std::string& allowed_values,
                                         Issues& issues) {
  std::int64_t value = 0;
  const Parsed parsed = is_plain(node) ? parse_integer(node.text, value) : Parsed::not_whole;
  if (parsed == Parsed::ok) return value;
  if (parsed == Parsed::too_large) {
    add_out_of_range(node, key, allowed_values, issues);
  } else {
    add_wrong_type(node, key, "a whole number", allowed_values, issues);
  }
  return std::nullopt;
}

constexpr std::size_t max_path_size = 4096;

bool is_path(const std::string& text, std::size_t max_size) {
  return !text.empty() && text.size() <= max_size && printable(text, max_size) == text;
}

bool is_colour(const std::string& text) {
  if (text == "white" || text == "black" || text == "none") return true;
  return text.size() == 7 && text[0] == '#' &&
         std::all_of(text.begin() + 1, text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

void read_layers(const YamlNode& node, std::string_view key, NegativeSlope& value, const Slopes& rule, Issues& issues) {
  if (node.items.size() < 2 || node.items.size() > max_slope_layers) {
    const std::string entries = node.items.size() == 1 ? "entry" : "entries";
    return add_issue(node, key, format_text(" has {} {}", node.items.size(), entries), allowed(rule), issues);
  }
  const std::size_t issues_before = issues.size();
  NegativeSlope read;
  read_list(node, key, read.values, ListOf<Reals>{rule.slope, max_slope_layers}, issues);
  if (issues.size() == issues_before) value = read;
}

void read_schedule(const YamlNode& node, std::string_view key, NegativeSlope& value, const Slopes& rule,
                   Issues& issues) {
  const std::size_t issues_before = issues.size();
  NegativeSlope read;
  SlopeSchedule& schedule = read.schedule.emplace();
  std::vector<std::string> known;
  visit_schedule(schedule, rule, [&](std::string_view name, auto& field, const auto& field_rule, bool required) {
    known.emplace_back(name);
    const auto entry =
        std::find_if(node.entries.begin(), node.entries.end(), [&](const auto& e) { return e.key == name; });
    if (entry != node.entries.end()) {
      read_value(entry->value, format_text("{}.{}", key, name), field, field_rule, issues);
    } else if (required) {
      add_issue(node, key, format_text(" has no '{}'", name), allowed(rule), issues);
    }
  });
  for (const YamlEntry& entry : node.entries) {
    if (contains(known, entry.key)) continue;
    issues.push_back({entry.line, format_text("{}.{} is not a key; the keys of a schedule are {}", key,
                                              printable(entry.key, 60), join(known, ", "))});
  }
  if (issues.size() == issues_before) value = read;
}

}  // namespace

std::optional<std::int64_t> parse_whole_number(std::string_view text) {
  std::int64_t value = 0;
  return parse_integer(text, value) == Parsed::ok ? std::optional(value) : std::nullopt;
}

void add_wrong_type(const YamlNode& node, std::string_view key, const std::string& expected,
                    const std::string& allowed_values, Issues& issues) {
  const auto add = [&](const std::string& what) { add_issue(node, key, what, allowed_values, issues); };
  switch (node.kind) {
    case Kind::rejected:
      return;
    case Kind::null:
      return add(" has no value");
    case Kind::sequence:
      return add(" is a list, not " + expected);
    case Kind::map:
      return add(" is a map, not " + expected);
    case Kind::scalar:
      return add(" = " + shown(node) + (node.quoted ? " is text in quotes, not " : " is not ") + expected);
  }
}

bool matches(const std::string& text, TextRule rule) {
  if (rule == TextRule::path) return is_path(text, max_path_size);
  if (rule == TextRule::colour) return is_colour(text);
  const auto is_name_character = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= 64 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

void read_value(const YamlNode& node, std::string_view key, std::int64_t& value, const Integers& rule, Issues& issues) {
  const auto number = read_integer(node, key, allowed(rule), issues);
  if (!number) return;
  if (!contains(rule, *number)) return add_out_of_range(node, key, allowed(rule), issues);
  value = *number;
}

void read_value(const YamlNode& node, std::string_view key, std::int64_t& value, const OneOf& rule, Issues& issues) {
  const auto number = read_integer(node, key, allowed(rule), issues);
  if (!number) return;
  if (!contains(rule.values, *number)) {
    return add_issue(node, key, " = " + shown(node) + " is not allowed", allowed(rule), issues);
  }
  value = *number;
}

void read_value(const YamlNode& node, std::string_view key, double& value, const Reals& rule, Issues& issues) {
  const auto number = is_plain(node) ? parse_number(node.text) : std::nullopt;
  if (!number) return add_wrong_type(node, key, "a number", allowed(rule), issues);
  if (!contains(rule, *number)) return add_out_of_range(node, key, allowed(rule), issues);
  value = *number;
}

void read_value(const YamlNode& node, std::string_view key, bool& value, Flag rule, Issues& issues) {
  const bool yes = node.text == "true" || node.text == "True" || node.text == "TRUE";
  const bool no = node.text == "false" || node.text == "False" || node.text == "FALSE";
  if (!is_plain(node) || !(yes || no)) return add_wrong_type(node, key, "true or false", allowed(rule), issues);
  value = yes;
}

void read_value(const YamlNode& node, std::string_view key, std::string& value, TextRule rule, Issues& issues) {
  if (node.kind != Kind::scalar) return add_wrong_type(node, key, "text", allowed(rule), issues);
  // The text may be twice as long as the path, because a dollar sign may be written as $$. The caller expands the path
  // and checks it again.
  if (rule == TextRule::path ? !is_path(node.text, 2 * max_path_size) : !matches(node.text, rule))
    return add_issue(node, key, " = " + shown(node) + " is not allowed", allowed(rule), issues);
  value = node.text;
}

void read_value(const YamlNode& node, std::string_view key, NegativeSlope& value, const Slopes& rule, Issues& issues) {
  if (node.kind == Kind::sequence) return read_layers(node, key, value, rule, issues);
  if (node.kind == Kind::map) return read_schedule(node, key, value, rule, issues);
  const auto number = is_plain(node) ? parse_number(node.text) : std::nullopt;
  if (!number) return add_wrong_type(node, key, "a number", allowed(rule), issues);
  if (!contains(rule.slope, *number)) return add_out_of_range(node, key, allowed(rule), issues);
  value = NegativeSlope(*number);
}

void read_value(const YamlNode& node, std::string_view key, ExtractorList& value, const Extractors& rule,
                Issues& issues) {
  const bool is_list = node.kind == Kind::sequence;
  if (is_list && (node.items.empty() || node.items.size() > rule.max_size)) {
    return add_issue(node, key, format_text(" has {} entries", node.items.size()), allowed(rule), issues);
  }
  const std::size_t issues_before = issues.size();
  std::vector<std::string> choices(is_list ? node.items.size() : 1);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const YamlNode& item = is_list ? node.items[i] : node;
    const std::string name = is_list ? format_text("{}[{}]", key, i) : std::string(key);
    if (item.kind != Kind::scalar) {
      add_wrong_type(item, name, is_list ? "text" : "text or a list", allowed(rule), issues);
    } else {
      read_value(item, name, choices[i], TextRule::path, issues);
    }
  }
  if (issues.size() == issues_before) value.choices = std::move(choices);
}

void read_value(const YamlNode& node, std::string_view key, std::vector<double>& value, const ListOf<Reals>& rule,
                Issues& issues) {
  read_list(node, key, value, rule, issues);
}

void read_value(const YamlNode& node, std::string_view key, std::vector<std::int64_t>& value,
                const ListOf<Integers>& rule, Issues& issues) {
  read_list(node, key, value, rule, issues);
}

bool read_list_size(const YamlNode& node, std::string_view key, std::size_t max_size, const std::string& allowed_values,
                    Issues& issues) {
  if (node.kind != Kind::sequence) {
    const bool lacks_brackets = node.kind == Kind::scalar && !node.text.empty();
    const std::string list = lacks_brackets ? format_text("a list: write [{}]", shown(node)) : "a list";
    add_wrong_type(node, key, list, allowed_values, issues);
    return false;
  }
  if (node.items.size() <= max_size) return true;
  add_issue(node, key, format_text(" has {} entries", node.items.size()), allowed_values, issues);
  return false;
}

std::optional<std::size_t> read_word(const YamlNode& node, std::string_view key, const std::vector<std::string>& words,
                                     Issues& issues) {
  const std::string allowed_words = join(words, ", ");
  if (node.kind != Kind::scalar) {
    add_wrong_type(node, key, "a name", allowed_words, issues);
    return std::nullopt;
  }
  const auto found = std::find(words.begin(), words.end(), node.text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  const std::string hint = nearest(printable(node.text, 60), words);
  add_issue(node, key, " = " + shown(node) + " is not allowed",
            allowed_words + (hint.empty() ? "" : " (did you mean " + hint + "?)"), issues);
  return std::nullopt;
}

}  // namespace slopegan
