#include "config/planned.h"

#include <algorithm>
#include <limits>
#include <string>

#include "support/text.h"

namespace slopegan {
namespace {

bool is_off(const PlannedKey& planned, const YamlNode& node) {
  Issues issues;
  if (planned.accepts == PlannedKey::Accepts::no) {
    bool value = false;
    read_value(node, planned.key, value, Flag{}, issues);
    return issues.empty() && !value;
  }
  double value = 0;
  read_value(node, planned.key, value, Reals{0, 0}, issues);
  return issues.empty();
}

void check_off(const PlannedKey& planned, const YamlNode& node, Issues& issues) {
  if (is_off(planned, node)) return;
  const std::string value = node.kind == YamlNode::Kind::scalar ? " = " + printable(node.text, 60) : "";
  const std::string off = planned.accepts == PlannedKey::Accepts::no ? "false" : "0";
  issues.push_back({node.line, std::string(planned.key) + value + ": " + std::string(planned.feature) +
                                   " is not available in this version (allowed: " + off + ")"});
}

void check_text_list(const PlannedKey& planned, const YamlNode& node, Issues& issues) {
  const auto is_scalar = [](const YamlNode& item) { return item.kind == YamlNode::Kind::scalar; };
  if (node.kind == YamlNode::Kind::refused) return;
  if (node.kind == YamlNode::Kind::sequence && std::all_of(node.items.begin(), node.items.end(), is_scalar)) return;
  issues.push_back({node.line, std::string(planned.key) + " is not a list of words"});
}

}  // namespace

const PlannedKey* find_planned(std::string_view key) {
  const auto found = std::find_if(std::begin(planned_keys), std::end(planned_keys),
                                  [&](const PlannedKey& planned) { return planned.key == key; });
  return found == std::end(planned_keys) ? nullptr : found;
}

void check_planned(const PlannedKey& planned, const YamlNode& node, Issues& issues) {
  std::int64_t integer = 0;
  std::string text;
  switch (planned.accepts) {
    case PlannedKey::Accepts::zero:
    case PlannedKey::Accepts::no:
      return check_off(planned, node, issues);
    case PlannedKey::Accepts::any_integer:
      return read_value(node, planned.key, integer, Integers{0, std::numeric_limits<std::int64_t>::max()}, issues);
    case PlannedKey::Accepts::any_text:
      return read_value(node, planned.key, text, TextRule::path, issues);
    case PlannedKey::Accepts::any_text_list:
      return check_text_list(planned, node, issues);
  }
}

}  // namespace slopegan
