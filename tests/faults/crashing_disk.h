#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "faults/recording.h"
#include "support/random.h"

namespace slopegan::testing {

/// What becomes of the content of a file that was written and not synchronised when the power fails.
enum class UnsyncedData { lost, zeros, part, written };
/// What becomes of names that were created, changed or removed in a directory that was not synchronised.
enum class UnsyncedNames { lost, kept, some };

/// A disk that keeps no more than POSIX promises: the content of a file is on it after fsync of the file, a name after
/// fsync of its directory. Recorded calls are played into it, and what a crash would leave is written out as real
/// files. A rename is one change: both names or neither. Otherwise names reach the disk in any order.
class CrashingDisk {
 public:
  /// A disk on which what stands below `root` (files, directories, links) is safe.
  explicit CrashingDisk(std::filesystem::path root);

  void play(const RecordedCall& call);

  /// Writes into the empty directory `to` what a crash at this moment might leave of `root`.
  void crash(UnsyncedNames names, UnsyncedData data, RandomStream& random, const std::filesystem::path& to) const;

 private:
  struct Node {
    enum class Kind { file, directory, link } kind;
    std::string content, safe_content;  ///< of a link: its target, always safe
  };
  using NodePtr = std::shared_ptr<Node>;
  /// By the directory's node, so that a renamed directory takes its names along.
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
