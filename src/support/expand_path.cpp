#include "support/expand_path.h"

#include <cctype>
#include <cstddef>
#include <cstdlib>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

std::string required_variable(const std::string& name) {
  std::string value = variable(name);
  if (!value.empty()) return value;
  throw UsageError("the environment variable " + printable(name) + " is not set");
}

/// The length of the variable name at the start of `text`; 0 if there is none.
std::size_t name_length(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && (std::isalnum(static_cast<unsigned char>(text[size])) != 0 || text[size] == '_')) ++size;
  return size > 0 && std::isdigit(static_cast<unsigned char>(text.front())) != 0 ? 0 : size;
}

/// Appends the value of the variable reference that starts with the dollar sign at text[at], or a dollar sign if no
/// variable name follows it. Returns the position after the reference.
std::size_t append_reference(std::string_view text, std::size_t at, std::string& expanded) {
  const std::string_view rest = text.substr(at + 1);
  if (!rest.starts_with('{')) {
    const std::size_t size = name_length(rest);
    expanded += size == 0 ? "$" : required_variable(std::string(rest.substr(0, size)));
    return at + 1 + size;
  }
  const std::size_t size = name_length(rest.substr(1));
  if (size == 0 || rest.substr(1 + size, 1) != "}") {
    throw UsageError("${ must be followed by a variable name and }, as in ${HOME}; $$ stands for a dollar sign");
  }
  expanded += required_variable(std::string(rest.substr(1, size)));
  return at + 3 + size;
}

bool starts_with_home(std::string_view text) { return text == "~" || text.starts_with("~/"); }

std::string replace_dollars(std::string_view text, bool with_variables) {
  std::string expanded;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at, 2) == "$$") {
      expanded += '$';
      at += 2;
    } else if (text[at] == '$' && with_variables) {
      at = append_reference(text, at, expanded);
    } else {
      expanded += text[at++];
    }
  }
  return expanded;
}

}  // namespace

std::string expand_path(std::string_view text) {
  if (!starts_with_home(text)) return replace_dollars(text, true);
  return required_variable("HOME") + replace_dollars(text.substr(1), true);
}

std::string expand_stored_path(std::string_view text) {
  if (!starts_with_home(text)) return replace_dollars(text, false);
  const std::string home = variable("HOME");
  return (home.empty() ? "~" : home) + replace_dollars(text.substr(1), false);
}

std::string unexpanded_path(std::string_view path) {
  std::string text;
  for (const char c : path) text += c == '$' ? "$$" : std::string(1, c);
  return text;
}

}  // namespace slopegan
