#include "data/npy_header.h"

#include <optional>
#include <stdexcept>

#include "support/text.h"

namespace slopegan {

namespace {

[[noreturn]] void refuse_npy(const std::string& reason) { throw std::invalid_argument(reason); }

/// Reads the Python literal {'descr': '<i8', 'fortran_order': False, 'shape': (3, 4), } from front to back.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  NpyHeader read() {
    NpyHeader header;
    std::optional<bool> fortran_order;
    bool has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = read_string();
      expect(':');
      if (key == "descr" && header.type.empty()) {
        if (peek() == '[') refuse_npy("holds records, where an array of numbers is expected");
        header.type = read_string();
      } else if (key == "fortran_order" && !fortran_order) {
        fortran_order = read_bool();
      } else if (key == "shape" && !has_shape) {
        header.shape = read_shape();
        has_shape = true;
      } else {
        damaged();
      }
      if (peek() != '}') expect(',');
    }
    skip_spaces();
    if (at_ != text_.size() || header.type.empty() || !fortran_order || !has_shape) damaged();
    if (*fortran_order && header.shape.size() > 1) refuse_npy("is stored in Fortran's order, where C's is expected");
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

  std::string read_string() {
    expect('\'');
    const auto end = text_.find('\'', at_);
    if (end == std::string_view::npos || end - at_ > 32) damaged();
    const std::string value(text_.substr(at_, end - at_));
    at_ = end + 1;
    return value;
  }

  bool read_bool() {
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
      peek();
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return value;
    }
    damaged();
  }

  std::vector<std::int64_t> read_shape() {
    constexpr std::size_t most_dimensions = 8;
    std::vector<std::int64_t> shape;
    expect('(');
    while (!accept(')')) {
      shape.push_back(read_size());
      if (shape.size() > most_dimensions) damaged();
      if (peek() != ')') expect(',');
    }
    return shape;
  }

  std::int64_t read_size() {
    constexpr std::int64_t most = std::int64_t{1} << 40;
    if (peek() < '0' || peek() > '9') damaged();
    std::int64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = 10 * value + (text_[at_++] - '0');
      if (value > most) damaged();
    }
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::size_t little_endian_at(std::string_view bytes, std::size_t at, std::size_t count) {
  std::size_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

}  // namespace

NpyHeader parse_npy_header(std::string_view bytes) {
  constexpr std::string_view magic = "\x93NUMPY";
  if (!bytes.starts_with(magic) || bytes.size() < 12) refuse_npy("is no NumPy array");
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    refuse_npy(format_text("has version {} of the format, where 1 to 3 are known", version));
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::size_t start = 8 + length_bytes, length = little_endian_at(bytes, 8, length_bytes);
  if (length > longest_npy_header - start) refuse_npy(format_text("has a header of {} bytes", length));
  if (start + length > bytes.size()) refuse_npy("ends within its header");
  NpyHeader header = HeaderReader(bytes.substr(start, length)).read();
  header.values_at = start + length;
  return header;
}

}  // namespace slopegan
