#include "data/folder_labels.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <regex>
#include <set>

#include "data/folder_layout.h"
#include "data/folder_listing.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

std::string top_directory(const fs::path& file) { return file.has_parent_path() ? file.begin()->string() : ""; }

bool all_match(const std::vector<std::string>& names, const char* pattern) {
  const std::regex expression(pattern);
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return std::regex_match(name, expression); });
}

/// Whether the names are multiples of a common step of at least 100 or, with leading zeros, at least 10, as in data
/// sets with a thousand images per directory. Names with smaller steps may be classes: 20, 30 and 40 may be ages.
bool are_steps(const std::vector<std::string>& names) {
  if (!all_match(names, "[0-9]{1,15}")) return false;
  const bool is_padded = std::any_of(names.begin(), names.end(),
                                     [](const std::string& name) { return name.size() > 1 && name[0] == '0'; });
  std::int64_t divisor = 0;
  for (const auto& name : names) {
    std::int64_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    divisor = std::gcd(divisor, number);
  }
  return divisor >= (is_padded ? 10 : 100);
}

bool are_checksums(const std::vector<std::string>& names) {
  constexpr std::size_t least_names = 16;
  return names.size() >= least_names && (all_match(names, "[0-9a-f]{2}") || all_match(names, "[0-9a-f]{3}")) &&
         !all_match(names, "[0-9]*") && !all_match(names, "[a-f]*");
}

/// Adds a warning if a directory of training images is named like a test split, as in bottle/test.
void warn_of_inner_tests(const std::vector<fs::path>& files, FolderLabels& found) {
  std::size_t count = 0;
  const fs::path* example = nullptr;
  for (const auto& file : files) {
    const auto parent = file.parent_path();
    if (std::none_of(parent.begin(), parent.end(), [](const fs::path& part) { return is_test_name(part.string()); }))
      continue;
    ++count;
    if (example == nullptr) example = &file;
  }
  if (example == nullptr) return;
  const std::string name = printable(example->string());
  found.warnings.push_back(
      count == 1 ? format_text("1 of the training images is in a directory named like a test split: {}; to train "
                               "without it, move it into a directory named test next to train",
                               name)
                 : format_text("{} of the training images are in directories named like a test split, for example {}; "
                               "to train without them, move them into a directory named test next to train",
                               count, name));
}

/// Adds a warning if images are outside the class directories. Returns whether they are few enough to be left out.
bool leave_out_strays(const std::vector<fs::path>& files, std::size_t strays, const fs::path& example,
                      FolderLabels& found) {
  const std::size_t few = std::max<std::size_t>(5, files.size() / 100);
  if (strays == 0) return true;
  if (strays > few || 2 * strays > files.size()) {
    found.warnings.push_back(
        format_text("labels: none, because {} of the {} images are not in a class directory, "
                    "for example {}",
                    strays, files.size(), printable(example.string())));
    return false;
  }
  const std::string name = printable(example.string());
  found.warnings.push_back(
      strays == 1 ? format_text("1 image is left out, because it is not in a class directory: {}; "
                                "with data.labels: none, it is used, but no image has a label",
                                name)
                  : format_text("{} images are left out, because they are not in a class directory, for "
                                "example {}; with data.labels: none, they are used, but no image has a label",
                                strays, name));
  return true;
}

std::vector<std::int64_t> numbers_of(const std::vector<fs::path>& files, const std::vector<std::string>& class_names) {
  std::vector<std::int64_t> labels;
  for (const auto& file : files) {
    const std::string name = top_directory(file);
    const auto found = std::lower_bound(class_names.begin(), class_names.end(), name);
    labels.push_back(name.empty() ? -1 : found - class_names.begin());
  }
  return labels;
}

}  // namespace

std::string running_names(const std::vector<std::string>& names) {
  if (all_match(names, "(19|20)[0-9]{2}")) return "years";
  if (all_match(names, "(19|20)[0-9]{2}[-_. ]?[01][0-9]([-_. ]?[0-3][0-9]([-_. T].*)?)?")) return "dates";
  if (all_match(names, "[0-3]?[0-9][-_.][01]?[0-9][-_.](19|20)[0-9]{2}")) return "dates";
  if (are_steps(names)) return "serial numbers";
  if (all_match(names, "[1-9][0-9]{2}[A-Z0-9_]{5}")) return "camera folders";
  const std::regex::flag_type any_case = std::regex::icase | std::regex::ECMAScript;
  const std::regex parts(
      "(part|batch|chunk|shard|images?|imgs?|photos?|pictures?|folder|dir|subset|split|vol|volume)"
      "[-_. ]?[0-9]+",
      any_case);
  if (std::all_of(names.begin(), names.end(), [&](const auto& name) { return std::regex_match(name, parts); })) {
    return "parts of one set";
  }
  return are_checksums(names) ? "checksum prefixes" : "";
}

FolderLabels label_by_directory(const std::vector<fs::path>& files) {
  FolderLabels found;
  std::set<std::string> distinct;
  std::size_t strays = 0;
  fs::path example;
  for (const auto& file : files) {
    const std::string name = top_directory(file);
    if (!name.empty()) {
      distinct.insert(name);
    } else if (strays++ == 0) {
      example = file;
    }
  }
  warn_of_inner_tests(files, found);
  std::vector<std::string> names(distinct.begin(), distinct.end());
  if (names.empty()) {
    found.notes.push_back("labels: none, because the images are not in subdirectories");
  } else if (names.size() == 1) {
    found.notes.push_back("labels: none, because there is only one directory, " + names_text(names));
  } else if (const auto what = running_names(names); !what.empty()) {
    found.notes.push_back(
        format_text("labels: none, because the names of the {} directories look like {}: {}; if they are classes, "
                    "rename them, for example to class_{}",
                    names.size(), what, names_text(names, 5), printable(names.front(), 60)));
  } else if (leave_out_strays(files, strays, example, found)) {
    found.notes.push_back(format_text("labels: the {} directories {}", names.size(), names_text(names)));
    found.labels = numbers_of(files, names);
    found.class_names = std::move(names);
  }
  return found;
}

FolderLabels label_test_images(const std::vector<fs::path>& files, const std::vector<std::string>& class_names) {
  FolderLabels found;
  if (class_names.empty()) return found;
  std::map<std::string, std::int64_t> exact, any_case;
  for (std::size_t i = 0; i < class_names.size(); ++i) {
    exact[class_names[i]] = static_cast<std::int64_t>(i);
    any_case.emplace(lower_case(class_names[i]), static_cast<std::int64_t>(i));
  }
  for (const auto& file : files) {
    std::int64_t label = -1;
    for (const auto& part : file.parent_path()) {
      const auto same = exact.find(part.string());
      const auto similar = any_case.find(lower_case(part.string()));
      if (same != exact.end()) label = same->second;
      if (same == exact.end() && similar != any_case.end()) label = similar->second;
      if (label >= 0) break;
    }
    if (label < 0) {
      found.labels.clear();
      found.warnings.push_back(format_text(
          "labels: none, because {} is not in any of the class directories of the training images ({}); the "
          "images are used without labels",
          printable(file.string()), names_text(class_names)));
      return found;
    }
    found.labels.push_back(label);
  }
  found.class_names = class_names;
  return found;
}

}  // namespace slopegan
