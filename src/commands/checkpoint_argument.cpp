#include "commands/checkpoint_argument.h"

#include <string>
#include <vector>

#include "support/log.h"
#include "support/text.h"

namespace slopegan {

Checkpoint find_checkpoint(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path / "checkpoints")) return load_checkpoint(resolve_checkpoint(path));
  std::vector<std::string> warnings;
  auto checkpoint = load_newest(path / "checkpoints", warnings);
  for (const auto& warning : warnings) log::warning(warning);
  if (!checkpoint) throw CheckpointError(printable(path.string()) + " has no checkpoint yet");
  return std::move(*checkpoint);
}

}  // namespace slopegan
