#pragma once

#include <string>
#include <vector>

/// The subset of YAML that configurations use: plain maps, lists and scalars with their line numbers. Built from the
/// events of yaml-cpp instead of its nodes, which hide duplicate keys and follow aliases.
namespace slopegan {

/// An error in a YAML text; lines count from 1.
struct Issue {
  int line = 1;
  std::string message;
};

struct YamlEntry;

struct YamlNode {
  /// `refused` marks a value whose issue is already reported; readers skip it.
  enum class Kind { null, scalar, sequence, map, refused };
  Kind kind = Kind::null;
  int line = 1;
  bool quoted = false;  ///< a quoted or block scalar: always text, never a number
  std::string text;     ///< of a scalar
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  ///< of a map; keys are unique
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

/// Never throws. Reports an issue for each of: syntax errors, anchors and aliases, tags, duplicate keys, keys that are
/// not scalars, a second document, more than 16 levels of nesting, bytes that are not UTF-8 text. After a syntax error
/// the root is `refused`; after the other issues the rest of the document remains readable.
YamlDocument parse_yaml(const std::string& text);

}  // namespace slopegan
