#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "run/json.h"

/// Converts records to and from JSON. A record is a struct whose fields are listed once, in a static member function:
///
///   template <class Self, class Visit>
///   static void visit_fields(Self& self, Visit&& visit) {
///     visit({"images"}, self.images);
///     visit({"fd_bias", "metrics/fd_bias"}, self.fd_bias);
///   }
///
/// The JSON writer and reader, the TensorBoard events and the columns of results.csv all follow this list. Fields are
/// numbers, booleans, strings, enumerations, std::optional (absent if empty), maps from names to numbers, lists of
/// (name, text) pairs, other records, and vectors of these.
///
/// A record with `static constexpr bool is_lenient = true` writes empty optionals as null. When it is read, all keys
/// may be absent, and null leaves an optional empty.
namespace slopegan {

struct Field {
  const char* key;  ///< JSON key
  const char* tag =
      nullptr;              ///< the TensorBoard tag, or its first part for a map ("tag/key") or in a list ("tag/name")
  bool in_results = false;  ///< whether it is a column of a sweep's results.csv
  bool may_be_absent =
      false;  ///< whether the key may be missing (in files from older versions); the reader then keeps the default
};

namespace record_detail {

struct AnyVisitor {
  template <class T>
  void operator()(const Field&, T&) const {}
};

}  // namespace record_detail

template <class T>
concept Record = requires(T& record) { T::visit_fields(record, record_detail::AnyVisitor{}); };

template <class R>
constexpr bool is_lenient_record = requires { requires R::is_lenient; };

template <class T>
constexpr bool is_optional = false;
template <class T>
constexpr bool is_optional<std::optional<T>> = true;

template <Record R>
nlohmann::ordered_json record_json(const R& record);

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

/// Converts the value of a field to JSON. Enums define their own overloads of field_json and read_field.
inline nlohmann::ordered_json field_json(const std::string& value) { return value; }
inline nlohmann::ordered_json field_json(const std::map<std::string, double>& values) { return values; }
inline nlohmann::ordered_json field_json(const NamedTexts& texts) {
  auto object = nlohmann::ordered_json::object();
  for (const auto& [name, text] : texts) object[name] = text;
  return object;
}
template <class T>
  requires std::integral<T> || std::floating_point<T>
nlohmann::ordered_json field_json(T value) {
  return value;
}
template <Record R>
nlohmann::ordered_json field_json(const R& record) {
  return record_json(record);
}
template <class T>
nlohmann::ordered_json field_json(const std::vector<T>& items) {
  auto array = nlohmann::ordered_json::array();
  for (const auto& item : items) array.push_back(field_json(item));
  return array;
}

/// Whether T is a list. A list with may_be_absent is written only if it has elements.
template <class T>
constexpr bool is_list = false;
template <class T>
constexpr bool is_list<std::vector<T>> = true;

struct WriteFields {
  nlohmann::ordered_json& object;
  bool is_lenient = false;
  template <class T>
  void operator()(const Field& field, const T& value) const {
    if constexpr (is_list<T>) {
      if (field.may_be_absent && value.empty()) return;
    }
    if constexpr (!is_optional<T>) {
      object[field.key] = field_json(value);
    } else if (value) {
      object[field.key] = field_json(*value);
    } else if (is_lenient) {
      object[field.key] = nullptr;
    }
  }
};

template <Record R>
nlohmann::ordered_json record_json(const R& record) {
  auto object = nlohmann::ordered_json::object();
  R::visit_fields(record, WriteFields{object, is_lenient_record<R>});
  return object;
}

/// Reads a record from a JSON object. For a real number, null is read as NaN. Throws WrongJsonType or an nlohmann
/// exception if a required key is missing or a value has the wrong type.
template <Record R>
R read_record(const nlohmann::json& object);

inline void read_field(const nlohmann::json& json, std::int64_t& value) { value = whole_number(json); }
inline void read_field(const nlohmann::json& json, double& value) { value = number_or_nan(json); }
inline void read_field(const nlohmann::json& json, bool& value) { value = json.get<bool>(); }
inline void read_field(const nlohmann::json& json, std::string& value) { value = json.get<std::string>(); }
inline void read_field(const nlohmann::json& json, std::map<std::string, double>& values) {
  if (!json.is_object()) throw WrongJsonType("expected an object of numbers");
  values.clear();
  for (const auto& [name, value] : json.items()) values[name] = number_or_nan(value);
}
inline void read_field(const nlohmann::json& json, NamedTexts& texts) {
  if (!json.is_object()) throw WrongJsonType("expected an object of texts");
  texts.clear();
  for (const auto& [name, text] : json.items()) texts.emplace_back(name, text.get<std::string>());
}
template <Record R>
void read_field(const nlohmann::json& json, R& record) {
  record = read_record<R>(json);
}
template <class T>
void read_field(const nlohmann::json& json, std::vector<T>& items) {
  if (!json.is_array()) throw WrongJsonType("expected an array");
  items.clear();
  for (const auto& item : json) read_field(item, items.emplace_back());
}

struct ReadFields {
  const nlohmann::json& object;
  bool is_lenient = false;
  template <class T>
  void operator()(const Field& field, T& value) const {
    const bool may_be_absent = is_optional<T> || is_lenient || field.may_be_absent;
    if (may_be_absent && !object.contains(field.key)) return;
    const nlohmann::json& json = object.at(field.key);
    if constexpr (!is_optional<T>) {
      read_field(json, value);
    } else if (!is_lenient || !json.is_null()) {
      read_field(json, value.emplace());
    }
  }
};

template <Record R>
R read_record(const nlohmann::json& object) {
  if (!object.is_object()) throw WrongJsonType("expected an object");
  R record;
  R::visit_fields(record, ReadFields{object, is_lenient_record<R>});
  return record;
}

/// Reads all records of a JSONL file. Throws the same exceptions as for_each_json_line.
template <Record R>
std::vector<R> read_records(const std::filesystem::path& file, const std::string& what) {
  std::vector<R> records;
  for_each_json_line(file, what, [&](const nlohmann::json& line) { records.push_back(read_record<R>(line)); });
  return records;
}

/// Reads the last record of a JSONL file, or of its first `size` bytes. Returns std::nullopt if take_last_json_line
/// returns false.
template <Record R>
std::optional<R> read_last_record(const std::filesystem::path& file, std::optional<std::uint64_t> size = std::nullopt) {
  std::optional<R> record;
  const bool found =
      take_last_json_line(file, [&](const nlohmann::json& line) { record = read_record<R>(line); }, size);
  return found ? record : std::nullopt;
}

}  // namespace slopegan
