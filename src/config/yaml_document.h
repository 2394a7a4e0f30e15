#pragma once

#include <string>
#include <vector>

/// YAML as this program reads it: plain maps, lists and scalars that know their line. Built from yaml-cpp's events and
/// not from its nodes, which hide duplicate keys and follow aliases.
namespace slopegan {

/// Something wrong in a YAML text, with its line from 1.
struct Issue {
  int line = 1;
  std::string message;
};

struct YamlEntry;

struct YamlNode {
  /// `refused` stands where an issue was already reported; whoever reads it says nothing more.
  enum class Kind { null, scalar, sequence, map, refused };
  Kind kind = Kind::null;
  int line = 1;
  bool quoted = false;  ///< a scalar in quotes or a block scalar: always text, never a number
  std::string text;     ///< of a scalar
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  ///< of a map; no key twice
};

struct YamlEntry {
  std::string key;
  int line = 1;
  YamlNode value;
};

struct YamlDocument {
  YamlNode root;  ///< null for an empty text
  std::vector<Issue> issues;
};

/// Never throws. Refused, each with an issue: text that is no YAML, anchors and aliases, tags, a key twice in a map,
/// keys that are no scalars, a second document, more than 16 levels, bytes that are no text. After a syntax error the
/// root is `refused`; the other issues keep the rest readable.
YamlDocument parse_yaml(const std::string& text);

}  // namespace slopegan
