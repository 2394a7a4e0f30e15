#include "config/key_hints.h"

#include <algorithm>

#include "config/fields.h"
#include "support/text.h"

namespace slopegan {
namespace {

std::string_view section_of(std::string_view key) {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
}

/// npos + 1 is 0: a key without a dot is its own last part.
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

bool is_known_key(std::string_view key) {
  return std::find(known_keys().begin(), known_keys().end(), key) != known_keys().end();
}

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
    if (std::find(names.begin(), names.end(), top) == names.end()) names.emplace_back(top);
  }
  return names;
}

std::vector<std::string> similar_keys(std::string_view unknown) {
  constexpr std::size_t longest_worth_comparing = 80;
  if (unknown.size() > longest_worth_comparing) return {};
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

}  // namespace slopegan
