#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <variant>
#include <vector>

namespace slopegan {

/// An argument of format_text: a signed or unsigned integer, a floating-point number, or text.
using FormatArgument = std::variant<std::int64_t, std::uint64_t, double, std::string_view>;

namespace format_detail {

template <class T>
constexpr bool is_text = std::is_convertible_v<const T&, std::string_view>;

template <class T>
FormatArgument argument(const T& value) {
  static_assert(is_text<T> || std::integral<T> || std::floating_point<T>, "format_text takes numbers and text");
  static_assert(!std::same_as<T, bool> && !std::same_as<T, char>, "convert bool and char to text");
  if constexpr (is_text<T>) {
    return std::string_view(value);
  } else if constexpr (std::floating_point<T>) {
    return static_cast<double>(value);
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<std::int64_t>(value);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

enum class Kind { integer, real, text };

template <class T>
constexpr Kind kind_of = is_text<T>               ? Kind::text
                         : std::floating_point<T> ? Kind::real
                                                  : Kind::integer;

/// Throws, which makes the compilation fail, unless `pattern` has one replacement field per argument and each
/// presentation type fits its argument. A width or precision in braces takes the integer argument after the value.
consteval void check_pattern(std::string_view pattern, std::span<const Kind> kinds) {
  std::size_t next = 0;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const bool is_doubled = at + 1 < pattern.size() && pattern[at + 1] == pattern[at];
    if ((pattern[at] == '{' || pattern[at] == '}') && is_doubled) {
      ++at;
    } else if (pattern[at] == '}') {
      throw "unmatched }";
    } else if (pattern[at] == '{') {
      if (next == kinds.size()) throw "more fields than arguments";
      const Kind kind = kinds[next++];
      char type = '}';
      for (++at; at < pattern.size() && pattern[at] != '}'; ++at) {
        if (pattern[at] == '{') {
          if (next == kinds.size() || kinds[next++] != Kind::integer) throw "a width or precision needs an integer";
          if (++at == pattern.size() || pattern[at] != '}') throw "unmatched {";
        }
        type = pattern[at];
      }
      if (at == pattern.size()) throw "unmatched {";
      const std::string_view reals = "eEfFgG", integers = "dxX";
      if (reals.find(type) != reals.npos && kind != Kind::real) throw "the field is for a floating-point number";
      if (integers.find(type) != integers.npos && kind != Kind::integer) throw "the field is for an integer";
    }
  }
  if (next != kinds.size()) throw "more arguments than fields";
}

template <class... Arguments>
struct CheckedPattern {
  consteval CheckedPattern(const char* text) : pattern(text) {  // NOLINT(google-explicit-constructor)
    constexpr Kind kinds[] = {kind_of<Arguments>..., Kind::text};
    check_pattern(pattern, {kinds, sizeof...(Arguments)});
  }
  std::string_view pattern;
};

}  // namespace format_detail

/// Like format_text, but without compile-time checks. Throws std::logic_error if `pattern` does not match `arguments`.
std::string format_arguments(std::string_view pattern, std::span<const FormatArgument> arguments);

/// Formats `arguments` with `pattern`, which has the syntax of fmt (https://fmt.dev/latest/syntax) and is checked at
/// compile time: format_text("{} of {:.1f} MiB", 3, 4.5). Only text.cpp includes fmt, because LibTorch ships a
/// different version of it.
template <class... Arguments>
std::string format_text(std::type_identity_t<format_detail::CheckedPattern<Arguments...>> pattern,
                        const Arguments&... arguments) {
  const FormatArgument erased[] = {format_detail::argument(arguments)..., FormatArgument()};
  return format_arguments(pattern.pattern, {erased, sizeof...(Arguments)});
}

/// Parses the whole text as a number (std::from_chars); returns std::nullopt if it is not a number.
template <class Number>
std::optional<Number> parse_as(std::string_view text) {
  Number value{};
  const char* end_of_text = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), end_of_text, value);
  return error == std::errc() && end == end_of_text ? std::optional(value) : std::nullopt;
}

/// The shortest decimal number that parses to the same double, except that integers below 1e15 are written without an
/// exponent: 0.2, 2e-04, 600000.
std::string shortest(double value);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Joins the parts as in a sentence: "a, b and c" if `last_word` is "and".
std::string enumerate_words(std::vector<std::string> parts, std::string_view last_word);

/// An integer with thousands separators: "60,000".
std::string grouped(std::int64_t value);

/// Converts ASCII letters to lower case, for example in a file extension.
std::string lower_case(std::string_view text);

/// The plural ending of a noun after `count`, "s" or nothing: format_text("{} image{}", count, plural_s(count)).
constexpr const char* plural_s(std::integral auto count) { return count == 1 ? "" : "s"; }

/// "1 seed", "3 seeds".
std::string counted(std::integral auto count, std::string_view noun) {
  return format_text("{} {}{}", count, noun, plural_s(count));
}

/// Returns the sizes as text: "60000 x 28 x 28".
std::string shape_text(const std::vector<std::int64_t>& sizes);

/// The candidate closest to `word` by edit distance with transpositions (optimal string alignment), or an empty string
/// if more than a third of the letters differ; one letter may always differ.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Makes `text` safe for a terminal: control characters and invalid UTF-8 are replaced with '?', and text longer than
/// `limit` bytes is cut and followed by "...".
std::string printable(std::string_view text, std::size_t limit = 200);

/// Like printable, but keeps newlines and has no limit.
std::string printable_lines(std::string_view text);

/// A CSV cell with the text, quoted as in RFC 4180 if it contains a separator, a quote or a line break.
std::string csv_cell(const std::string& text);

/// A duration as 00:41, 12:05 or 3:07:12.
std::string clock_time(double seconds);

}  // namespace slopegan
