#include "support/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/args.h>
#include <fmt/format.h>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace slopegan {

std::string format_arguments(std::string_view pattern, std::span<const FormatArgument> arguments) {
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (const auto& argument : arguments) {
    std::visit([&](const auto& value) { store.push_back(value); }, argument);
  }
  try {
    return fmt::vformat(fmt::string_view(pattern.data(), pattern.size()), store);
  } catch (const fmt::format_error& error) {
    throw std::logic_error("format_text: " + std::string(error.what()));
  }
}

std::string shortest(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
  // 600000 reads better than the shorter 6e+05.
  if (text.find("e+") != std::string::npos && std::abs(value) < 1e15 && value == std::floor(value)) {
    return format_text("{:.0f}", value);
  }
  return text;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) joined += separator;
    joined += parts[i];
  }
  return joined;
}

std::string enumerate_words(std::vector<std::string> parts, std::string_view last_word) {
  if (parts.size() < 2) return join(parts, "");
  const std::string last = std::move(parts.back());
  parts.pop_back();
  return format_text("{} {} {}", join(parts, ", "), last_word, last);
}

std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

static std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  std::iota(previous.begin(), previous.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::string shape_text(const std::vector<std::int64_t>& sizes) {
  std::vector<std::string> texts;
  for (const auto size : sizes) texts.push_back(std::to_string(size));
  return join(texts, " x ");
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

/// Whether `second` may follow `first` in UTF-8. Excludes overlong forms, surrogates, C1 control characters (U+0080 to
/// U+009F) and code points above U+10FFFF.
static bool can_follow(unsigned char first, unsigned char second) {
  const unsigned char low = first == 0xc2 || first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  return low <= second && second <= high;
}

/// The length of the UTF-8 sequence at `at` if it is a valid printable character, otherwise 0.
static std::size_t printable_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  // No valid sequence starts with 0xc0, 0xc1 or 0xf5 and above.
  if (first < 0xc2 || first > 0xf4 || at + length > text.size() || !can_follow(first, byte(at + 1))) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string safe;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = printable_length(text, at);
    if (safe.size() + std::max<std::size_t>(length, 1) > limit) return safe + "...";
    safe += length > 0 ? std::string(text.substr(at, length)) : "?";
    at += std::max<std::size_t>(length, 1);
  }
  return safe;
}

std::string printable_lines(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    safe += printable(text.substr(0, end), text.size());
    if (end < text.size()) safe += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return safe;
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  return quoted + "\"";
}

std::string clock_time(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "--:--";
  const auto total = static_cast<std::int64_t>(std::llround(seconds));
  const std::int64_t hours = total / 3600, minutes = total / 60 % 60, rest = total % 60;
  return hours > 0 ? format_text("{}:{:02}:{:02}", hours, minutes, rest) : format_text("{:02}:{:02}", minutes, rest);
}

}  // namespace slopegan
