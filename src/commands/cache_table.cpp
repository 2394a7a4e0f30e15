#include "commands/cache_table.h"

#include <cmath>
#include <ctime>
#include <string>
#include <vector>

#include "commands/arguments.h"
#include "support/cache_contents.h"
#include "support/cache_directory.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::string size_text(std::uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes >= std::uint64_t{1} << 30) return format_text("{:.1f} GiB", std::ldexp(size, -30));
  return bytes >= std::uint64_t{1} << 20 ? format_text("{:.1f} MiB", std::ldexp(size, -20))
                                         : format_text("{:.1f} KiB", std::ldexp(size, -10));
}

/// "3 entries, 1.2 GiB".
std::string total_text(std::size_t count, std::uint64_t bytes) {
  return format_text("{} {}, {}", count, count == 1 ? "entry" : "entries", size_text(bytes));
}

std::string day_text(const std::optional<std::time_t>& time) {
  std::tm parts{};
  if (!time || ::localtime_r(&*time, &parts) == nullptr) return "-";
  return format_text("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string source_text(const CacheEntry& entry) {
  if (entry.sources.empty()) return "unknown";
  std::vector<std::string> paths;
  for (const auto& source : entry.sources) paths.push_back(display(source));
  return join(paths, ", ") + (entry.lost_its_source() ? " (gone)" : "");
}

std::string entry_text(const CacheEntry& entry) {
  const auto name = entry.file.lexically_relative(cache_dir());
  return format_text("{:>11}  {:<10}  {:<11}  {}\n{:38}{}\n", size_text(entry.bytes), day_text(entry.last_use),
                     printable(name.parent_path().string()), source_text(entry), "",
                     printable(name.filename().string()));
}

std::string foreign_text(const ForeignDirectory& directory) {
  return format_text("{:>11}  {:<10}  {:<11}  {}: {} file{}\n", size_text(directory.bytes), "-", "data set",
                     printable(directory.name), grouped(static_cast<std::int64_t>(directory.files)),
                     plural_s(directory.files));
}

/// Removes `entry` and returns true. If it cannot be removed, logs a warning and returns false.
bool removed(const CacheEntry& entry) {
  try {
    remove_cache_entry(entry);
    return true;
  } catch (const Error& error) {
    log::warning(error.what());
    return false;
  }
}

}  // namespace

void print_cache(bool prune) {
  std::uint64_t bytes = 0, freed = 0;
  std::size_t count = 0, pruned = 0;
  std::string kept_text, pruned_text;
  for (const auto& entry : cache_entries()) {
    const bool prunes = prune && entry.lost_its_source() && removed(entry);
    (prunes ? pruned_text : kept_text) += entry_text(entry);
    (prunes ? freed : bytes) += entry.bytes;
    ++(prunes ? pruned : count);
  }
  for (const auto& directory : foreign_directories()) kept_text += foreign_text(directory);
  std::string text = display(cache_dir()) + ": " + total_text(count, bytes) + "\n";
  if (!kept_text.empty())
    text += format_text("{:>11}  {:<10}  {:<11}  {}\n", "size", "last use", "kind", "source, name");
  text += kept_text;
  if (prune) text += "removed, because the sources are gone: " + total_text(pruned, freed) + "\n";
  print(text + pruned_text);
}

}  // namespace slopegan
