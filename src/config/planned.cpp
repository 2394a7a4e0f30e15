#include "config/planned.h"

#include <algorithm>
#include <string>

#include "support/text.h"

namespace slopegan {

const PlannedKey* find_planned(std::string_view key) {
  const auto found = std::find_if(std::begin(planned_keys), std::end(planned_keys),
                                  [&](const PlannedKey& planned) { return planned.key == key; });
  return found == std::end(planned_keys) ? nullptr : found;
}

void check_planned(const PlannedKey& planned, const YamlNode& node, Issues& issues) {
  Issues unless_off;
  double value = 0;
  read_value(node, planned.key, value, Reals{0, 0}, unless_off);
  if (unless_off.empty()) return;
  const std::string given = node.kind == YamlNode::Kind::scalar ? " = " + printable(node.text, 60) : "";
  issues.push_back({node.line, std::string(planned.key) + given + ": " + std::string(planned.feature) +
                                   " is not available in this version (allowed: 0)"});
}

}  // namespace slopegan
