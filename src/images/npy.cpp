#include "images/npy.h"

#include <optional>
#include <stdexcept>

#include "support/bytes.h"
#include "support/text.h"

namespace slopegan {

namespace {

[[noreturn]] void refuse_npy(const std::string& predicate) { throw std::invalid_argument(predicate); }

/// Parses a Python literal such as {'descr': '<i8', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    std::optional<bool> fortran_order;
    bool has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = parse_string();
      expect(':');
      if (key == "descr" && header.type.empty()) {
        if (peek() == '[') refuse_npy("contains records, but numbers or text are expected");
        header.type = parse_string();
      } else if (key == "fortran_order" && !fortran_order) {
        fortran_order = parse_bool();
      } else if (key == "shape" && !has_shape) {
        header.shape = parse_shape();
        has_shape = true;
      } else {
        damaged();
      }
      if (peek() != '}') expect(',');
    }
    skip_spaces();
    if (at_ != text_.size() || header.type.empty() || !fortran_order || !has_shape) damaged();
    header.fortran_order = *fortran_order && header.shape.size() > 1;
    return header;
  }

 private:
  [[noreturn]] static void damaged() { refuse_npy("has a damaged header"); }

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }

  char peek() {
    skip_spaces();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool accept(char wanted) {
    if (peek() != wanted || at_ == text_.size()) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) damaged();
  }

  std::string parse_string() {
    expect('\'');
    const auto end = text_.find('\'', at_);
    if (end == std::string_view::npos || end - at_ > 32) damaged();
    const std::string value(text_.substr(at_, end - at_));
    at_ = end + 1;
    return value;
  }

  bool parse_bool() {
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
      peek();
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return value;
    }
    damaged();
  }

  std::vector<std::int64_t> parse_shape() {
    constexpr std::size_t max_dimensions = 8;
    std::vector<std::int64_t> shape;
    expect('(');
    while (!accept(')')) {
      shape.push_back(parse_size());
      if (shape.size() > max_dimensions) damaged();
      if (peek() != ')') expect(',');
    }
    return shape;
  }

  std::int64_t parse_size() {
    constexpr std::int64_t max_size = std::int64_t{1} << 40;
    if (peek() < '0' || peek() > '9') damaged();
    std::int64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = 10 * value + (text_[at_++] - '0');
      if (value > max_size) damaged();
    }
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view bytes) {
  constexpr std::string_view magic = "\x93NUMPY";
  if (!bytes.starts_with(magic) || bytes.size() < 12) refuse_npy("is not a NumPy array");
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) {
    refuse_npy(format_text("uses version {} of the npy format; versions 1 to 3 are supported", version));
  }
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::size_t start = 8 + length_bytes, length = little_endian(bytes.substr(8, length_bytes));
  if (length > max_npy_header_bytes - start)
    refuse_npy(format_text("has a header of {} bytes, which is too long", length));
  if (start + length > bytes.size()) refuse_npy("is truncated within its header");
  NpyHeader header = HeaderParser(bytes.substr(start, length)).parse();
  header.size = start + length;
  return header;
}

std::string npy_header(const std::vector<std::int64_t>& shape) {
  std::string sides;
  for (const auto side : shape) sides += std::to_string(side) + ", ";
  std::string text = "{'descr': '|u1', 'fortran_order': False, 'shape': (" + sides + "), }";
  constexpr std::size_t prefix = 10, alignment = 64;  // the magic string, version and length
  text.append(alignment - 1 - (prefix + text.size()) % alignment, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace slopegan
