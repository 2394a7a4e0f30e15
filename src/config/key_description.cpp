#include "config/key_description.h"

#include "config/fields.h"
#include "config/print.h"

namespace slopegan {
namespace {

template <class Rule>
std::vector<std::string> words_allowed(const Rule&) {
  return {};
}

template <class Enum>
std::vector<std::string> words_allowed(const Words<Enum>&) {
  return words_of<Enum>();
}

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

}  // namespace

std::vector<KeyDescription> key_descriptions() {
  const Config config;
  std::vector<KeyDescription> keys;
  visit_fields(config, [&](std::string_view key, const auto&, const auto& rule, std::string_view help) {
    keys.push_back({std::string(key), value_text(config, key), allowed(rule), std::string(help), words_allowed(rule),
                    names_path(rule)});
  });
  return keys;
}

}  // namespace slopegan
