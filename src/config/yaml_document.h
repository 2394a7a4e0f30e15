#pragma once

#include <string>
#include <vector>

/// The subset of YAML that configurations use: plain maps, lists and scalars with their line numbers. A document is
/// built from yaml-cpp's events, because yaml-cpp's nodes hide duplicate keys and resolve aliases.
namespace slopegan {

/// An error in a YAML text. Lines are numbered from 1.
struct Issue {
  int line = 1;
  std::string message;
};

struct YamlEntry;

struct YamlNode {
  /// `rejected` marks a value for which an issue has already been reported; readers skip it.
  enum class Kind { null, scalar, sequence, map, rejected };
  Kind kind = Kind::null;
  int line = 1;
  bool quoted = false;  ///< a quoted or block scalar: always text, never a number
  std::string text;     ///< the value of a scalar
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  ///< the entries of a map; their keys are unique
};

struct YamlEntry {
  std::string key;
  int line = 1;
  YamlNode value;
};

struct YamlDocument {
  YamlNode root;  ///< null if the text is empty
  std::vector<Issue> issues;
};

/// Parses `text` without throwing. Reports an issue for each anchor, alias, tag, duplicate key or key that is not a
/// scalar, for the first syntax error, for a second document, for more than 16 levels of nesting, and for the first
/// line that is not UTF-8 or contains control characters. If the text cannot be parsed to its end, the root is
/// `rejected`; after any other issue, the rest of the document remains readable.
YamlDocument parse_yaml(const std::string& text);

}  // namespace slopegan
