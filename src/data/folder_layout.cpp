#include "data/folder_layout.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "data/folder_listing.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 3> train_words = {"train", "training", "trainset"};
constexpr std::array<std::string_view, 6> test_words = {"test", "testing", "testset", "val", "valid", "validation"};

bool is_digit(char letter) { return std::isdigit(static_cast<unsigned char>(letter)) != 0; }

/// The lower-case words of a name: "Seg_Train2017" gives seg, train and 2017.
std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words(1);
  for (const char letter : lower_case(name)) {
    const bool separates = letter == '_' || letter == '-' || letter == ' ' || letter == '.';
    if (!words.back().empty() && (separates || is_digit(letter) != is_digit(words.back().back()))) words.emplace_back();
    if (!separates) words.back() += letter;
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

/// A name that mentions one split.
struct SplitName {
  std::string name;
  bool is_train = false;
  std::size_t preference = 0;  ///< the test split with the lowest value is used
  std::string rest;            ///< the other words
};

std::optional<SplitName> split_name_of(const std::string& name) {
  SplitName found{name, false, 0, ""};
  int count = 0;
  for (const auto& word : words_of(name)) {
    const auto train = std::find(train_words.begin(), train_words.end(), word);
    const auto test = std::find(test_words.begin(), test_words.end(), word);
    if (train == train_words.end() && test == test_words.end()) {
      found.rest += word + " ";
      continue;
    }
    ++count;
    found.is_train = train != train_words.end();
    found.preference = static_cast<std::size_t>(test - test_words.begin());
  }
  return count == 1 ? std::optional(found) : std::nullopt;
}

bool is_number(const std::string& words) {
  return std::all_of(words.begin(), words.end(), [](char letter) { return is_digit(letter) || letter == ' '; });
}

/// The test splits that belong to `train`, in order of preference. A test split may be numbered: some Kaggle data sets
/// have test1 next to train.
std::vector<SplitName> partners(const SplitName& train, const std::vector<SplitName>& names) {
  std::vector<SplitName> found;
  for (const auto& name : names) {
    if (name.is_train) continue;
    if (name.rest == train.rest || (train.rest.empty() && is_number(name.rest))) found.push_back(name);
  }
  std::stable_sort(found.begin(), found.end(), [](const SplitName& a, const SplitName& b) {
    return std::pair(!a.rest.empty(), a.preference) < std::pair(!b.rest.empty(), b.preference);
  });
  return found;
}

/// "A" or "B" for trainA, test_B, ...; sets `split` to the rest of the name.
std::string domain_of(const std::string& name, std::string& split) {
  if (name.empty() || (name.back() != 'A' && name.back() != 'B')) return "";
  split = lower_case(name.substr(0, name.size() - 1));
  while (!split.empty() && (split.back() == '_' || split.back() == '-')) split.pop_back();
  return name.substr(name.size() - 1);
}

/// Finds trainA and trainB, with testA and testB if they exist.
bool find_domains(const std::vector<std::string>& names, FolderLayout& layout) {
  std::vector<std::string> train, test;
  std::string test_split;
  for (const auto& name : names) {
    std::string split;
    if (domain_of(name, split).empty()) continue;
    if (contains(train_words, split)) train.push_back(name);
    if (!contains(test_words, split)) continue;
    if (test_split.empty()) test_split = split;
    if (split == test_split) test.push_back(name);
  }
  if (train.size() != 2) return false;
  layout.train = train;
  if (test.size() == 2) layout.test = test;
  return true;
}

/// A directory named train is a class (the vehicle) if there are at least two other directories with images next to it.
/// The caller has checked that none of them is a test split.
bool is_class(const SplitName& train, const fs::path& base, const std::vector<std::string>& names) {
  return std::count_if(names.begin(), names.end(), [&](const std::string& name) {
           return name != train.name && holds_images(base / name, true);
         }) >= 2;
}

/// Finds a training split, and its test split if the latter contains images. Several directories may be named like
/// training splits, such as train_images and train_labels; the first one that contains images is used.
bool find_splits(const std::vector<std::string>& names, FolderLayout& layout) {
  std::vector<SplitName> splits;
  for (const auto& name : names) {
    if (auto split = split_name_of(name)) splits.push_back(std::move(*split));
  }
  std::stable_sort(splits.begin(), splits.end(),
                   [](const SplitName& a, const SplitName& b) { return a.rest.size() < b.rest.size(); });
  const SplitName* chosen = nullptr;
  for (const auto& train : splits) {
    if (!train.is_train) continue;
    if (partners(train, splits).empty() && (!train.rest.empty() || is_class(train, layout.base, names))) continue;
    const bool has_images = holds_images(layout.base / train.name, true);
    if (chosen == nullptr || has_images) chosen = &train;
    if (has_images) break;
  }
  if (chosen == nullptr) return false;
  layout.train = {chosen->name};
  for (const auto& test : partners(*chosen, splits)) {
    if (layout.test.empty() && holds_images(layout.base / test.name, true)) layout.test = {test.name};
  }
  return true;
}

void note_splits(const std::vector<std::string>& names, FolderLayout& layout) {
  std::vector<std::string> unused;
  for (const auto& name : names) {
    const bool used = std::count(layout.train.begin(), layout.train.end(), name) +
                          std::count(layout.test.begin(), layout.test.end(), name) >
                      0;
    if (!used && holds_images(layout.base / name, true)) unused.push_back(name);
  }
  layout.notes.push_back("splits: training images from " + names_text(layout.train) + ", " +
                         (layout.test.empty() ? "no test images" : "test images from " + names_text(layout.test)));
  if (!unused.empty()) {
    layout.notes.push_back("unused directories next to the training images: " + names_text(unused));
  }
  if (holds_images(layout.base, false)) {
    layout.notes.push_back("the images directly in " + printable(layout.base.string()) +
                           " are not used, because the splits are in subdirectories");
  }
}

/// Descends as long as a directory contains a single subdirectory and no images, as in train/train in some archives.
void unwrap_train(FolderLayout& layout) {
  if (layout.train.size() != 1) return;
  while (!holds_images(layout.base / layout.train.front(), false)) {
    const auto inner = subdirectories(layout.base / layout.train.front());
    if (inner.size() != 1) return;
    layout.train.front() += "/" + inner.front();
  }
}

bool find_any_splits(FolderLayout& layout) {
  const auto names = subdirectories(layout.base);
  if (!find_domains(names, layout) && !find_splits(names, layout)) return false;
  note_splits(names, layout);
  unwrap_train(layout);
  return true;
}

/// The only one of the directories that contains images; std::nullopt if there are several or none.
std::optional<std::string> only_directory_with_images(const fs::path& base, const std::vector<std::string>& names) {
  std::optional<std::string> found;
  for (const auto& name : names) {
    if (!holds_images(base / name, true)) continue;
    if (found) return std::nullopt;
    found = name;
  }
  return found;
}

/// The subdirectory of `base` in which to search next: the only one, the only one with splits or, if none has splits,
/// the only one with images. Returns std::nullopt if there is none, or if `base` itself contains images.
std::optional<std::string> wrapped_directory(const fs::path& base) {
  if (holds_images(base, false)) return std::nullopt;
  const auto names = subdirectories(base);
  if (names.size() == 1) return names.front();
  constexpr std::size_t most_searched = 20;  // if there are more, they are usually classes
  if (names.size() > most_searched) return std::nullopt;
  std::vector<std::string> with_splits, with_images;
  for (const auto& name : names) {
    FolderLayout inner;
    inner.base = base / name;
    const auto below = subdirectories(inner.base);
    if (!find_domains(below, inner) && !find_splits(below, inner)) continue;
    with_splits.push_back(name);
    if (holds_images(inner.base / inner.train.front(), true)) with_images.push_back(name);
  }
  // Data sets for object detection have labels/{train,val} with text files next to images/{train,val}.
  if (!with_images.empty()) with_splits = with_images;
  // Some data sets have attributes or parts as text files next to images/{001.albatross,002.auklet,…}.
  if (with_splits.empty()) return only_directory_with_images(base, names);
  // Several directories that each contain splits, such as bottle/{train,test}, are classes.
  return with_splits.size() == 1 ? std::optional(with_splits.front()) : std::nullopt;
}

}  // namespace

FolderLayout find_layout(const fs::path& folder) {
  FolderLayout layout;
  layout.base = folder;
  constexpr int most_wrappers = 4;
  for (int depth = 0; depth <= most_wrappers; ++depth) {
    if (find_any_splits(layout)) return layout;
    const auto inner = wrapped_directory(layout.base);
    if (!inner) break;
    std::vector<std::string> others;
    for (const auto& name : subdirectories(layout.base)) {
      if (name != *inner && holds_images(layout.base / name, true)) others.push_back(name);
    }
    if (!others.empty()) layout.notes.push_back("unused directories next to the splits: " + names_text(others));
    layout.base /= *inner;
  }
  return layout;
}

bool is_test_name(const std::string& name) {
  const std::string word = lower_case(name);
  return word != "valid" && contains(test_words, word);
}

}  // namespace slopegan
