#include "config/yaml_document.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "support/text.h"

namespace slopegan {
namespace {

constexpr std::size_t max_depth = 16;

int line_of(const YAML::Mark& mark) { return std::max(mark.line, 0) + 1; }

YamlNode make_node(YamlNode::Kind kind, int line) {
  YamlNode node;
  node.kind = kind;
  node.line = line;
  return node;
}

/// An issue that makes the rest of the text unreadable.
struct Fatal {
  Issue issue;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  YamlDocument take() {
    std::stable_sort(issues_.begin(), issues_.end(), [](const Issue& a, const Issue& b) { return a.line < b.line; });
    return {std::move(root_), std::move(issues_)};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Fatal{{line_of(mark), "a second YAML document starts here; only one is allowed"}};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(make_node(YamlNode::Kind::null, line_of(mark))); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    issues_.push_back({line_of(mark), "aliases (*name) are not allowed; write out the value"});
    add(make_node(YamlNode::Kind::rejected, line_of(mark)));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    YamlNode node = make_node(kind_unless_tagged(YamlNode::Kind::scalar, mark, tag), line_of(mark));
    node.quoted = tag == "!";
    node.text = value;
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, YamlNode::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark, tag, YamlNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    issues_.push_back({line_of(mark), "anchors (&name) are not allowed"});
  }

 private:
  /// An open list or map; the keys and values of a map alternate in `children`.
  struct Open {
    bool is_map;
    YamlNode node;
    std::vector<YamlNode> children;
  };

  void open(const YAML::Mark& mark, const std::string& tag, YamlNode::Kind kind) {
    if (open_.size() == max_depth) {
      throw Fatal{{line_of(mark), format_text("more than {} levels of nesting", max_depth)}};
    }
    const bool is_map = kind == YamlNode::Kind::map;
    open_.push_back({is_map, make_node(kind_unless_tagged(kind, mark, tag), line_of(mark)), {}});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.is_map) {
      done.node.entries = pair_up(std::move(done.children));
    } else {
      done.node.items = std::move(done.children);
    }
    add(std::move(done.node));
  }

  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().children.push_back(std::move(node));
    }
  }

  /// yaml-cpp passes the tag "?" for an untagged value and "!" for a quoted scalar.
  YamlNode::Kind kind_unless_tagged(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return kind;
    issues_.push_back({line_of(mark), "tags (" + printable(tag, 60) + ") are not allowed"});
    return YamlNode::Kind::rejected;
  }

  std::vector<YamlEntry> pair_up(std::vector<YamlNode> children) {
    std::vector<YamlEntry> entries;
    std::map<std::string, int> first_line;
    for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
      YamlNode& key = children[i];
      if (key.kind == YamlNode::Kind::rejected) continue;
      if (key.kind != YamlNode::Kind::scalar) {
        issues_.push_back({key.line, "a key must be a name"});
      } else if (const auto [seen, fresh] = first_line.emplace(key.text, key.line); !fresh) {
        issues_.push_back(
            {key.line, format_text("{} is given twice, first on line {}", printable(path_to(key.text)), seen->second)});
      } else {
        entries.push_back({std::move(key.text), key.line, std::move(children[i + 1])});
        // yaml-cpp reports a missing value at the next token, which may be lines later.
        if (entries.back().value.kind == YamlNode::Kind::null) entries.back().value.line = key.line;
      }
    }
    return entries;
  }

  /// The dotted path of `key` within the open maps.
  std::string path_to(const std::string& key) const {
    std::vector<std::string> parts;
    for (const Open& outer : open_) {
      if (outer.is_map && !outer.children.empty()) parts.push_back(outer.children.back().text);
    }
    parts.push_back(key);
    return join(parts, ".");
  }

  YamlNode root_;
  std::vector<Issue> issues_;
  std::vector<Open> open_;
  int documents_ = 0;
};

/// The number of the first line that is not UTF-8 or contains control characters, or 0 if there is none.
int binary_line(const std::string& text) {
  std::istringstream stream(text);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    std::erase_if(line, [](char c) { return c == '\t' || c == '\r'; });
    if (printable(line, line.size()) != line) return number;
  }
  return 0;
}

YamlDocument unreadable(TreeBuilder& builder, Issue issue) {
  YamlDocument document = builder.take();
  document.root = make_node(YamlNode::Kind::rejected, issue.line);
  document.issues.push_back(std::move(issue));
  return document;
}

}  // namespace

YamlDocument parse_yaml(const std::string& text) {
  TreeBuilder builder;
  if (const int line = binary_line(text); line > 0) {
    return unreadable(builder, {line, "not UTF-8 text, or contains control characters"});
  }
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const Fatal& fatal) {
    return unreadable(builder, fatal.issue);
  } catch (const YAML::Exception& e) {
    return unreadable(builder, {line_of(e.mark), "not valid YAML: " + printable(e.msg)});
  }
}

}  // namespace slopegan
