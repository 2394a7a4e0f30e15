#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "faults/faults.h"
#include "support/random.h"

namespace slopegan::testing {

/// The state, after a power failure, of content that was written to a file but not synced.
enum class UnsyncedData { lost, zeros, part, written };
/// The state, after a power failure, of names that were created, changed or removed in a directory that was not synced.
enum class UnsyncedNames { lost, kept, some };

/// A simulated disk with the guarantees that common file systems of Linux share, and no others: the content of a file
/// is durable after an fsync of the file, and a name after an fsync of its directory. It replays recorded calls and
/// writes a possible result of a crash as real files. A rename is atomic: either both changes of names reach the disk
/// or neither does. Otherwise, names reach the disk in any order.
class CrashingDisk {
 public:
  /// Treats the current content of `root` (files, directories, symlinks) as durable.
  explicit CrashingDisk(std::filesystem::path root);

  void replay(const RecordedCall& call);

  /// Writes a possible state of `root` after a crash at this point to the empty directory `to`.
  void crash(UnsyncedNames names, UnsyncedData data, RandomStream& random, const std::filesystem::path& to) const;

 private:
  struct Node {
    enum class Kind { file, directory, link } kind;
    std::string content, safe_content;  ///< `content` of a symlink: its target, which is always durable
  };
  using NodePtr = std::shared_ptr<Node>;
  /// The key contains the node of the directory, so that a renamed directory keeps its entries.
  using Names = std::map<std::pair<NodePtr, std::string>, NodePtr>;
  struct Change {
    std::string kind;  ///< add, remove, rename, exchange
    NodePtr directory, other_directory, node;
    std::string name, other_name;
  };

  void load(const NodePtr& directory, const std::filesystem::path& path);
  NodePtr find(const std::filesystem::path& path) const;
  void change(Change change);
  static void apply(const Change& change, Names& names);
  std::vector<Change> surviving(UnsyncedNames names, RandomStream& random) const;
  static std::string surviving(const Node& file, UnsyncedData data, RandomStream& random);

  std::filesystem::path root_;
  NodePtr root_node_ = std::make_shared<Node>(Node{Node::Kind::directory, "", ""});
  Names names_, safe_names_;
  std::vector<Change> unsafe_;
};

}  // namespace slopegan::testing
