#include "config/load.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "config/fields.h"
#include "config/keys.h"
#include "config/read_value.h"
#include "config/validate.h"
#include "config/yaml_document.h"
#include "support/errors.h"
#include "support/expand_path.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {
namespace {

constexpr std::size_t max_file_bytes = std::size_t{1} << 20;
constexpr std::size_t max_errors_shown = 50;

/// The origin of values: a file with line numbers, or a command-line argument.
struct Source {
  std::string name;
  bool has_lines;

  std::string at(int line) const { return has_lines ? name + ":" + std::to_string(line) : name; }
};

std::string read_config_file(const std::filesystem::path& path, const std::string& name) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw UsageError(name + ": no such configuration file");
  if (!std::filesystem::is_regular_file(status))
    throw UsageError(name + ": not a regular file; a YAML file is required");
  if (std::filesystem::file_size(path, error) > max_file_bytes && !error) {
    throw UsageError(name + ": larger than 1 MiB, the limit for a configuration file");
  }
  try {
    return read_file(path, max_file_bytes);
  } catch (const IoError&) {
    throw UsageError(name + ": the configuration file cannot be read");
  }
}

/// Who wrote a configuration: the user, or this program with to_yaml.
enum class Author { user, program };

/// Whether to check the constraints on a sweep, too.
enum class Purpose { any, sweep };

/// The words in a message from validate_sweep that may be keys.
std::vector<std::string> keys_in(const std::string& message) {
  std::vector<std::string> keys;
  std::istringstream words(message);
  bool is_first = true;
  for (std::string word; words >> word; is_first = false) {
    while (!word.empty() && std::string_view(".,;:").find(word.back()) != std::string_view::npos) word.pop_back();
    // Except at the start, a word without a section, such as "seed", may be an ordinary word instead of a key.
    if (is_first || word.find('.') != std::string::npos) keys.push_back(word);
  }
  return keys;
}

/// Reads several sources in order into one Config and collects all errors.
class Loader {
 public:
  Loader(std::string file_name, Author author) : file_name_(std::move(file_name)), author_(author) {}

  void read_file(const std::string& text) {
    const Source source{file_name_, true};
    const YamlDocument document = parse_yaml(text);
    add_issues(source, document.issues);
    if (document.root.kind == YamlNode::Kind::map) return read_section(source, "", document.root);
    if (document.root.kind == YamlNode::Kind::null || document.root.kind == YamlNode::Kind::rejected) return;
    add_error(source.at(document.root.line), "the file must contain keys with values, such as 'seed: 0'");
  }

  void read_override(const std::string& argument) {
    const Source source{"command line: '" + printable(argument) + "'", false};
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) return add_error(source.name, "not of the form key=value");
    std::string value = argument.substr(equals + 1);
    const bool is_colour = value.starts_with('#') && value.find('\'') == std::string::npos;
    const bool is_home = value == "~";  // null in YAML
    if (is_colour || is_home) value = "'" + value + "'";
    const YamlDocument document = parse_yaml(value);
    add_issues(source, document.issues);
    // YAML silently cuts off a path at ' #'.
    const bool plain = document.root.kind == YamlNode::Kind::scalar && !document.root.quoted;
    if (plain && argument.find(" #", equals) != std::string::npos) {
      return add_error(source.name, "' #' starts a comment; put the value in double quotes");
    }
    read_entry(source, argument.substr(0, equals), 1, document.root);
  }

  LoadedConfig finish(Purpose purpose) {
    LoadedConfig loaded;
    const auto findings = validate(config_, [&](std::string_view key) { return places_.contains(key); });
    for (const auto& finding : findings.errors) {
      if (!concerns_failed_key(finding)) add_error(place_of(finding), finding.message);
    }
    for (const auto& finding : findings.warnings) {
      loaded.warnings.push_back(place_of(finding) + ": " + finding.message);
    }
    // Without this condition, an error in the configuration could be reported again for the sweep.
    if (purpose == Purpose::sweep && findings.errors.empty()) check_sweep(loaded.warnings);
    throw_errors();
    loaded.config = std::move(config_);
    loaded.places = std::move(places_);
    loaded.config.data.as_in_0_9 = author_ == Author::program && !loaded.sets_reading_of_data();
    return loaded;
  }

 private:
  void read_section(const Source& source, const std::string& section, const YamlNode& map) {
    for (const YamlEntry& entry : map.entries) {
      if (entry.key.find('.') != std::string::npos) {
        add_dotted_key(source, section, entry);
      } else {
        read_entry(source, section.empty() ? entry.key : section + "." + entry.key, entry.line, entry.value);
      }
    }
  }

  void read_entry(const Source& source, const std::string& key, int line, const YamlNode& value) {
    if (is_section(key)) {
      read_section_value(source, key, line, value);
    } else if (is_known_key(key)) {
      read_field(source, key, line, value);
    } else {
      add_unknown_key(source, key, line);
    }
  }

  void read_section_value(const Source& source, const std::string& section, int line, const YamlNode& value) {
    if (value.kind == YamlNode::Kind::map) return read_section(source, section, value);
    // A section may be empty because all of its lines are commented out.
    const bool empty = value.kind == YamlNode::Kind::null && source.has_lines;
    if (empty || value.kind == YamlNode::Kind::rejected) return;
    add_error(source.at(line), section + " is a section with the keys " + join(keys_of_section(section), ", "));
  }

  void read_field(const Source& source, const std::string& key, int line, const YamlNode& value) {
    Issues issues;
    visit_fields(config_, [&](std::string_view name, auto& field, const auto& rule, std::string_view) {
      if (name != key) return;
      read_value(value, key, field, rule, issues);
      if (issues.empty()) expand_paths(field, rule, key, value.line, issues);
    });
    if (!issues.empty() || value.kind == YamlNode::Kind::rejected) failed_.insert(key);
    add_issues(source, issues);
    places_[key] = source.at(line);
  }

  /// Expands ~ and variables in the paths of a field. This overload is for fields without paths.
  template <class Field, class Rule>
  void expand_paths(Field&, const Rule&, const std::string&, int, Issues&) const {}

  void expand_paths(std::string& path, TextRule rule, const std::string& key, int line, Issues& issues) const {
    if (rule != TextRule::path) return;
    try {
      const std::string written =
          std::exchange(path, author_ == Author::user ? expand_path(path) : expand_stored_path(path));
      if (matches(path, rule)) return;
      issues.push_back({line, key + " = " + printable(written, 60) + " is not allowed; allowed: " + allowed(rule)});
    } catch (const UsageError& error) {
      issues.push_back({line, key + " = " + printable(path, 60) + ": " + error.what()});
    }
  }

  void expand_paths(ExtractorList& extractors, const Extractors&, const std::string& key, int line,
                    Issues& issues) const {
    for (auto& choice : extractors.choices) expand_paths(choice, TextRule::path, key, line, issues);
  }

  void add_dotted_key(const Source& source, const std::string& section, const YamlEntry& entry) {
    if (!section.empty() || !is_known_key(entry.key)) {
      return add_unknown_key(source, section.empty() ? entry.key : section + "." + entry.key, entry.line);
    }
    const std::size_t dot = entry.key.find('.');
    add_error(source.at(entry.line), format_text("{} is not a key: keys in a file are nested; write {}: {{{}: ...}}",
                                                 entry.key, entry.key.substr(0, dot), entry.key.substr(dot + 1)));
  }

  void add_unknown_key(const Source& source, const std::string& key, int line) {
    // Skips the search for similar keys, which is slow for a file with thousands of unknown keys.
    if (errors_.size() >= max_errors_shown) return add_error(source.name, "");
    const auto similar = similar_keys(key);
    const std::string hint =
        similar.empty() ? "allowed: " + join(keys_beside(key), ", ") : "did you mean " + join(similar, " or ") + "?";
    add_error(source.at(line), printable(key, 100) + " is not a key; " + hint);
  }

  void check_sweep(std::vector<std::string>& warnings) {
    try {
      for (const auto& message : validate_sweep(config_)) {
        warnings.push_back(place_of({keys_in(message), message}) + ": " + message);
      }
    } catch (const UsageError& error) {
      std::istringstream messages(error.what());
      for (std::string message; std::getline(messages, message);) {
        const Finding finding{keys_in(message), message};
        if (!concerns_failed_key(finding)) add_error(place_of(finding), message);
      }
    }
  }

  void add_issues(const Source& source, const Issues& issues) {
    for (const Issue& issue : issues) add_error(source.at(issue.line), issue.message);
  }

  void add_error(const std::string& place, const std::string& message) {
    if (errors_.size() < max_errors_shown) {
      errors_.push_back(place + ": " + message);
    } else {
      ++errors_left_out_;
    }
  }

  void throw_errors() const {
    if (errors_.empty()) return;
    std::string rest;
    if (errors_left_out_ > 0) rest = format_text("\nand {} more error{}", errors_left_out_, plural_s(errors_left_out_));
    throw UsageError(join(errors_, "\n") + rest);
  }

  /// If a value could not be read, its key still has the default, so findings about the key would be misleading.
  bool concerns_failed_key(const Finding& finding) const {
    return std::any_of(finding.keys.begin(), finding.keys.end(),
                       [&](const auto& key) { return failed_.contains(key); });
  }

  /// The location of the first of the finding's keys that the user set, or the file name if the user set none of them.
  std::string place_of(const Finding& finding) const {
    for (const auto& key : finding.keys) {
      if (const auto place = places_.find(key); place != places_.end()) return place->second;
    }
    return file_name_;
  }

  std::string file_name_;
  Author author_;
  Config config_;
  std::map<std::string, std::string, std::less<>> places_;  ///< the location of each given key
  std::set<std::string> failed_;
  std::vector<std::string> errors_;
  std::size_t errors_left_out_ = 0;
};

}  // namespace

bool LoadedConfig::sets_reading_of_data() const {
  return std::ranges::any_of(keys_since_0_9, [&](std::string_view key) { return places.contains(key); });
}

static LoadedConfig load(const std::filesystem::path& file, const std::vector<std::string>& overrides, Author author,
                         Purpose purpose = Purpose::any) {
  const std::string name = file.empty() ? "the defaults" : display(file);
  Loader loader(name, author);
  if (!file.empty()) loader.read_file(read_config_file(file, name));
  for (const auto& argument : overrides) loader.read_override(argument);
  return loader.finish(purpose);
}

LoadedConfig load_config(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return load(file, overrides, Author::user);
}

LoadedConfig load_config_for_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return load(file, overrides, Author::user, Purpose::sweep);
}

LoadedConfig load_stored_config(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return load(file, overrides, Author::program);
}

Config parse_config(const std::string& text, const std::string& name) {
  Loader loader(printable(name, 4096), Author::program);
  loader.read_file(text);
  return loader.finish(Purpose::any).config;
}

}  // namespace slopegan
