#include "faults/crashing_disk.h"

#include <algorithm>
#include <stdexcept>

namespace slopegan::testing {

namespace fs = std::filesystem;

CrashingDisk::CrashingDisk(fs::path root) : root_(std::move(root)) {
  load(root_node_, root_);
  safe_names_ = names_;
}

void CrashingDisk::load(const NodePtr& directory, const fs::path& path) {
  for (const auto& entry : fs::directory_iterator(path)) {
    NodePtr node;
    if (entry.is_symlink()) {
      node = std::make_shared<Node>(Node{Node::Kind::link, fs::read_symlink(entry.path()), ""});
    } else if (entry.is_directory()) {
      node = std::make_shared<Node>(Node{Node::Kind::directory, "", ""});
      load(node, entry.path());
    } else {
      std::ifstream input(entry.path(), std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(input), {}};
      node = std::make_shared<Node>(Node{Node::Kind::file, content, content});
    }
    names_[{directory, entry.path().filename()}] = node;
  }
}

CrashingDisk::NodePtr CrashingDisk::find(const fs::path& path) const {
  NodePtr node = root_node_;
  const fs::path relative = path.lexically_relative(root_);
  if (relative == ".") return node;
  for (const auto& part : relative) node = names_.at({node, part});
  return node;
}

void CrashingDisk::replay(const RecordedCall& call) {
  const fs::path path(call.path);
  const auto add = [&](Node::Kind kind, const std::string& content) {
    change({"add", find(path.parent_path()), nullptr, std::make_shared<Node>(Node{kind, content, ""}), path.filename(),
            ""});
  };
  if (call.kind == "create") return add(Node::Kind::file, "");
  if (call.kind == "mkdir") return add(Node::Kind::directory, "");
  if (call.kind == "link") return add(Node::Kind::link, call.other);
  if (call.kind == "unlink") return change({"remove", find(path.parent_path()), nullptr, nullptr, path.filename(), ""});
  if (call.kind == "rename" || call.kind == "exchange") {
    const fs::path other(call.other);
    return change({call.kind, find(path.parent_path()), find(other.parent_path()), find(path), path.filename(),
                   other.filename()});
  }
  Node& node = *find(path);
  if (call.kind == "truncate") {
    node.content.clear();
  } else if (call.kind == "resize") {
    node.content.resize(call.offset);
  } else if (call.kind == "write") {
    node.content.resize(std::max(node.content.size(), call.offset + call.data.size()));
    node.content.replace(call.offset, call.data.size(), call.data);
  } else if (call.kind == "sync" && node.kind == Node::Kind::file) {
    node.safe_content = node.content;
  } else if (call.kind == "sync") {
    std::erase_if(unsafe_, [&](const Change& one) {
      const bool here = one.directory.get() == &node || one.other_directory.get() == &node;
      if (here) apply(one, safe_names_);
      return here;
    });
  } else {
    throw std::logic_error("unknown call in a recording: " + call.kind);
  }
}

void CrashingDisk::change(Change change) {
  apply(change, names_);
  unsafe_.push_back(std::move(change));
}

void CrashingDisk::apply(const Change& change, Names& names) {
  const auto from = std::pair(change.directory, change.name);
  if (change.kind == "add") {
    names[from] = change.node;
  } else if (change.kind == "remove") {
    names.erase(from);
  } else {
    const auto to = std::pair(change.other_directory, change.other_name);
    const auto replaced = names.find(to);
    const NodePtr old = replaced == names.end() ? nullptr : replaced->second;
    names[to] = change.node;
    names.erase(from);
    if (change.kind == "exchange" && old) names[from] = old;
  }
}

std::vector<CrashingDisk::Change> CrashingDisk::surviving(UnsyncedNames names, RandomStream& random) const {
  std::vector<Change> changes;
  for (const auto& one : unsafe_) {
    if (names == UnsyncedNames::kept || (names == UnsyncedNames::some && random.below(2) == 0)) changes.push_back(one);
  }
  return changes;
}

std::string CrashingDisk::surviving(const Node& file, UnsyncedData data, RandomStream& random) {
  const std::string &now = file.content, &safe = file.safe_content;
  // Only the bytes before the first difference from the synced content are treated as durable.
  const auto kept =
      static_cast<std::size_t>(std::mismatch(now.begin(), now.end(), safe.begin(), safe.end()).first - now.begin());
  switch (data) {
    case UnsyncedData::lost:
      return safe;
    case UnsyncedData::zeros:
      return now.substr(0, kept) + std::string(now.size() - kept, '\0');
    case UnsyncedData::part:
      return now.substr(0, kept + random.below(static_cast<std::uint32_t>(now.size() - kept + 1)));
    case UnsyncedData::written:
      return now;
  }
  return "";
}

void CrashingDisk::crash(UnsyncedNames names, UnsyncedData data, RandomStream& random, const fs::path& to) const {
  Names left = safe_names_;
  for (const auto& one : surviving(names, random)) apply(one, left);
  std::vector<std::pair<NodePtr, fs::path>> directories = {{root_node_, to}};
  while (!directories.empty()) {
    const auto [directory, path] = directories.back();
    directories.pop_back();
    for (const auto& [name, node] : left) {
      if (name.first != directory) continue;
      const fs::path here = path / name.second;
      if (node->kind == Node::Kind::directory) {
        fs::create_directory(here);
        directories.emplace_back(node, here);
      } else if (node->kind == Node::Kind::link) {
        fs::create_symlink(node->content, here);
      } else {
        std::ofstream(here, std::ios::binary) << surviving(*node, data, random);
      }
    }
  }
}

}  // namespace slopegan::testing
