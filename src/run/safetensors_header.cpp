#include "run/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <span>
#include <tuple>

#include <nlohmann/json.hpp>

#include "support/errors.h"
#include "support/machine.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr auto metadata_key = "__metadata__";
constexpr std::size_t longest_name = 512;
constexpr std::size_t most_dimensions = 64;

struct Dtype {
  const char* name;
  c10::ScalarType type;
};

// In the order in which the reference library stores tensors, so that both libraries write identical files.
constexpr std::array<Dtype, 10> dtypes = {{
    {"I64", c10::ScalarType::Long},
    {"F64", c10::ScalarType::Double},
    {"F32", c10::ScalarType::Float},
    {"I32", c10::ScalarType::Int},
    {"BF16", c10::ScalarType::BFloat16},
    {"F16", c10::ScalarType::Half},
    {"I16", c10::ScalarType::Short},
    {"I8", c10::ScalarType::Char},
    {"U8", c10::ScalarType::Byte},
    {"BOOL", c10::ScalarType::Bool},
}};

/// Our headers take about 11 KB. The format allows 100 MB, but a header of that size could list enough empty tensors to
/// exhaust the memory.
constexpr std::uint64_t longest_header = 8'000'000;

std::string in_quotes(const std::string& text) { return '"' + printable(text) + '"'; }

/// Builds the header from the events of the parser. Accepts at each location only what the format allows, so that the
/// depth and size of the JSON are bounded. The first violation stops the parser and sets `reason`.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader header;
  std::string reason;

  bool start_object(std::size_t) override {
    if (place_ == Place::start) return enter(Place::tensors);
    if (place_ != Place::tensors) return refuse_value("an object");
    if (key_ == metadata_key) return enter(Place::metadata);
    header.tensors.emplace_back().name = key_;
    fields_seen_.clear();
    return enter(Place::fields);
  }

  bool key(std::string& name) override {
    key_ = name;
    switch (place_) {
      case Place::tensors:
        return tensor_name();
      case Place::metadata:
        return !header.metadata.contains(name) || refuse("the metadata key " + in_quotes(name) + " is duplicated");
      case Place::fields:
        return field_name();
      default:
        return refuse(in_quotes(name) + " is out of place");
    }
  }

  bool string(std::string& value) override {
    if (place_ == Place::metadata) {
      header.metadata.emplace(key_, value);
      return true;
    }
    if (place_ != Place::fields || key_ != "dtype") return refuse_value("a string");
    const auto found = std::find_if(dtypes.begin(), dtypes.end(), [&](const Dtype& d) { return d.name == value; });
    if (found == dtypes.end()) {
      return refuse("the dtype " + in_quotes(value) +
                    " is not one of I64, F64, F32, I32, BF16, F16, I16, I8, U8, BOOL");
    }
    header.tensors.back().dtype = found->type;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::fields || key_ == "dtype") return refuse_value("an array");
    numbers_.clear();
    return enter(Place::numbers);
  }

  bool number_unsigned(std::uint64_t value) override {
    if (place_ != Place::numbers) return refuse_value("a number");
    if (numbers_.size() == most_dimensions) return refuse(in_quotes(key_) + " has more than 64 numbers");
    numbers_.push_back(value);
    return true;
  }

  bool end_array() override {
    place_ = Place::fields;
    return key_ == "shape" ? take_shape() : take_offsets();
  }

  bool end_object() override {
    if (place_ == Place::tensors) return enter(Place::end);
    if (place_ == Place::fields && fields_seen_.size() != 3)
      return refuse("one of dtype, shape, data_offsets is missing");
    return enter(Place::tensors);
  }

  bool null() override { return refuse_value("null"); }
  bool boolean(bool) override { return refuse_value("a boolean"); }
  bool number_integer(std::int64_t) override { return refuse_value("a negative number"); }
  bool number_float(double, const std::string&) override { return refuse_value("a fraction or too large a number"); }
  bool binary(nlohmann::json::binary_t&) override { return refuse_value("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    reason = format_text("the header is not valid JSON at byte {}", position);
    return false;
  }

 private:
  enum class Place { start, tensors, metadata, fields, numbers, end };

  bool enter(Place place) {
    place_ = place;
    return true;
  }

  bool refuse(const std::string& text) {
    const bool in_tensor = place_ == Place::fields || place_ == Place::numbers;
    reason = (in_tensor ? "in the tensor " + in_quotes(header.tensors.back().name) : "in the header") + ", " + text;
    return false;
  }

  bool refuse_value(const char* what) { return refuse(in_quotes(key_) + " is " + what); }

  bool tensor_name() {
    if (!names_.insert(key_).second) return refuse("the name " + in_quotes(key_) + " is duplicated");
    if (key_ == metadata_key || is_tensor_name(key_)) return true;
    return refuse("the name " + in_quotes(key_) + " is not 1 to 512 bytes of printable text");
  }

  bool field_name() {
    if (key_ != "dtype" && key_ != "shape" && key_ != "data_offsets")
      return refuse("the field " + in_quotes(key_) + " is unknown");
    return fields_seen_.insert(key_).second || refuse("the field " + in_quotes(key_) + " is duplicated");
  }

  bool take_shape() {
    for (const std::uint64_t size : numbers_) {
      if (size > std::numeric_limits<std::int64_t>::max()) return refuse("a size is too large");
      header.tensors.back().shape.push_back(static_cast<std::int64_t>(size));
    }
    return true;
  }

  bool take_offsets() {
    if (numbers_.size() != 2) return refuse("data_offsets does not have two numbers");
    header.tensors.back().begin = numbers_[0];
    header.tensors.back().end = numbers_[1];
    return true;
  }

  Place place_ = Place::start;
  std::string key_;
  std::set<std::string> names_;
  std::set<std::string> fields_seen_;
  std::vector<std::uint64_t> numbers_;
};

[[noreturn]] void refuse_tensor(const TensorEntry& entry, const char* reason) {
  throw CheckpointError("the tensor " + in_quotes(entry.name) + " " + reason);
}

/// Returns the size of the tensor's data. Throws if no tensor of this shape can exist. Even if one size is 0, the
/// product of the other sizes must not overflow, because strides are also products of sizes.
std::uint64_t byte_count(const TensorEntry& entry) {
  std::int64_t count = static_cast<std::int64_t>(c10::elementSize(entry.dtype));
  bool empty = false;
  for (const std::int64_t size : entry.shape) {
    empty = empty || size == 0;
    if (__builtin_mul_overflow(count, std::max<std::int64_t>(size, 1), &count)) {
      refuse_tensor(entry, "has a shape whose product is too large");
    }
  }
  return empty ? 0 : static_cast<std::uint64_t>(count);
}

void check_extents(const std::vector<TensorEntry>& tensors, std::uint64_t data_size) {
  std::uint64_t end = 0;
  for (const TensorEntry& entry : tensors) {
    if (entry.begin > entry.end) refuse_tensor(entry, "ends before it begins");
    if (entry.end > data_size) refuse_tensor(entry, "extends beyond the end of the file");
    if (entry.begin < end) refuse_tensor(entry, "overlaps another tensor");
    if (entry.begin > end) refuse_tensor(entry, "is preceded by a gap");
    if (entry.end - entry.begin != byte_count(entry))
      refuse_tensor(entry, "has a data size that does not match its shape");
    end = entry.end;
  }
  if (end != data_size) {
    throw CheckpointError(format_text("the tensors end {} byte{} before the end of the file", data_size - end,
                                      plural_s(data_size - end)));
  }
}

void read_exactly(PosixFile& file, std::span<std::byte> bytes) {
  if (file.read(bytes) != bytes.size()) throw CheckpointError("the file ends too early");
}

}  // namespace

bool is_tensor_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && name != metadata_key && printable(name, longest_name) == name;
}

int storage_rank(c10::ScalarType dtype) {
  const auto found = std::find_if(dtypes.begin(), dtypes.end(), [&](const Dtype& d) { return d.type == dtype; });
  return found == dtypes.end() ? -1 : static_cast<int>(found - dtypes.begin());
}

std::string safetensors_header_text(const SafetensorsHeader& header) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) object[metadata_key] = header.metadata;
  for (const TensorEntry& entry : header.tensors) {
    object[entry.name] = {{"dtype", dtypes.at(static_cast<std::size_t>(storage_rank(entry.dtype))).name},
                          {"shape", entry.shape},
                          {"data_offsets", {entry.begin, entry.end}}};
  }
  return object.dump();
}

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size) {
  // The parser would skip a byte order mark and stop at a zero byte.
  if (!text.starts_with('{')) throw CheckpointError("the header does not start with {");
  if (text.find('\0') != std::string_view::npos) throw CheckpointError("the header contains a zero byte");
  HeaderReader reader;
  if (!nlohmann::json::sax_parse(text, &reader)) throw CheckpointError(reader.reason);
  auto& tensors = reader.header.tensors;
  std::sort(tensors.begin(), tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_extents(tensors, data_size);
  return std::move(reader.header);
}

SafetensorsHeader read_safetensors_header(PosixFile& file) {
  const std::uint64_t size = file.size();
  std::uint64_t length = 0;
  if (size < sizeof length) throw CheckpointError("the file is too short");
  read_exactly(file, std::as_writable_bytes(std::span(&length, 1)));
  const std::uint64_t rest = size - sizeof length;
  if (length > longest_header) throw CheckpointError("the header is longer than 8 MB");
  if (length > rest) throw CheckpointError("the header is longer than the file");
  if (size > physical_memory_bytes()) throw CheckpointError("the file is larger than this machine's memory");
  std::string text(static_cast<std::size_t>(length), '\0');
  read_exactly(file, std::as_writable_bytes(std::span(text)));
  return parse_safetensors_header(text, rest - length);
}

}  // namespace slopegan
