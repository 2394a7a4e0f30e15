#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

/// The values of an enumeration, derived from their names, so that no list of them must be kept up to date.
///
/// The enumerators must count up from 0. The namespace of the enumeration must define a constexpr function name_of that
/// returns the name of a value and, for other numbers, an empty string. It should be a switch without a default, so
/// that a value without a name is a compile error (-Werror=switch).
namespace slopegan {

namespace enum_detail {

/// The number of values that have a name.
template <class Enum>
consteval std::size_t count() {
  std::size_t values = 0;
  while (!std::string_view(name_of(static_cast<Enum>(values))).empty()) ++values;
  return values;
}

}  // namespace enum_detail

/// All values of `Enum` in the order of their declaration.
template <class Enum>
inline constexpr auto enum_values = [] {
  std::array<Enum, enum_detail::count<Enum>()> values{};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Enum>(i);
  return values;
}();

/// The value called `name`; std::nullopt if there is none.
template <class Enum>
constexpr std::optional<Enum> enum_named(std::string_view name) {
  for (const Enum value : enum_values<Enum>) {
    if (name == name_of(value)) return value;
  }
  return std::nullopt;
}

}  // namespace slopegan
