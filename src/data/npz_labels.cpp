#include "data/npz_labels.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "data/npz_pixels.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Encodes a code point in UTF-8. Invalid code points become '?'.
std::string utf8(std::uint32_t code) {
  if (code < 0x80) return {static_cast<char>(code)};
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return "?";
  std::string text;
  const int continuations = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  const std::uint32_t marks[] = {0, 0xc0, 0xe0, 0xf0};
  text += static_cast<char>(marks[continuations] | code >> (6 * continuations));
  for (int i = continuations - 1; i >= 0; --i) text += static_cast<char>(0x80 | (code >> (6 * i) & 0x3f));
  return text;
}

/// The strings in a text array, without the zeros that pad them.
std::vector<std::string> texts_of(const NpyArray& array) {
  std::vector<std::string> texts(array.count);
  const std::size_t unit = array.kind == NpyKind::unicode ? 4 : 1;
  for (std::size_t i = 0; i < array.count; ++i) {
    const std::byte* item = array.values.memory.get() + i * array.item_size;
    for (std::size_t at = 0; at + unit <= array.item_size; at += unit) {
      std::uint32_t code = 0;
      std::memcpy(&code, item + at, unit);
      if (code == 0) break;
      texts[i] += unit == 1 ? std::string(1, static_cast<char>(code)) : utf8(code);
    }
  }
  return texts;
}

NpzLabels labels_of_texts(const NpyArray& array, const std::vector<std::string>& known_names) {
  constexpr std::size_t most_classes = 10'000;
  const auto texts = texts_of(array);
  NpzLabels result;
  result.class_names = known_names.empty() ? sorted_unique(texts) : known_names;
  const auto& names = result.class_names;
  if (names.size() > most_classes) {
    throw std::invalid_argument(
        format_text("contains {} distinct strings, which are too many to be classes", names.size()));
  }
  std::vector<std::int64_t> labels;
  for (const auto& text : texts) {
    const auto name = std::lower_bound(names.begin(), names.end(), text);
    if (name == names.end() || *name != text)
      throw std::invalid_argument("contains '" + printable(text) + "', which is not the label of any training image");
    labels.push_back(name - names.begin());
  }
  result.labels = torch::tensor(labels, torch::kLong);
  return result;
}

torch::Tensor whole_numbers(const torch::Tensor& values) {
  if (!values.is_floating_point()) return values.to(torch::kLong);
  const auto numbers = values.to(torch::kDouble);
  if (!(numbers.eq(numbers.round()) & numbers.abs().lt(1e15)).all().item<bool>()) {
    throw std::invalid_argument("contains numbers that are not whole, so they are not classes");
  }
  return numbers.to(torch::kLong);
}

/// The class of each of the one-hot rows [N, K].
torch::Tensor one_hot_classes(const torch::Tensor& rows) {
  const auto marks = rows.to(torch::kDouble);
  const bool one_each = (marks.eq(0) | marks.eq(1)).all().item<bool>() && marks.sum(1).eq(1).all().item<bool>();
  if (!one_each) throw std::invalid_argument("contains several labels per image");
  return marks.argmax(1);
}

}  // namespace

NpzLabels labels_of_array(NpyArray array, std::int64_t images, const std::vector<std::string>& known_names) {
  const std::string shape = shape_text(array.shape);
  if (array.shape.empty() || array.shape[0] != images) {
    throw std::invalid_argument(format_text("has the shape {}, but there are {} images", shape, images));
  }
  const bool one_each = array.count == static_cast<std::size_t>(images);
  if (array.kind == NpyKind::bytes || array.kind == NpyKind::unicode) {
    if (!one_each) throw std::invalid_argument("has the shape " + shape + ": several strings per image");
    return labels_of_texts(array, known_names);
  }
  const bool was_real = array.kind == NpyKind::real;
  const auto values = number_tensor(std::move(array));
  NpzLabels result;
  if (one_each) {
    result.labels = whole_numbers(values.reshape({images})).contiguous();
    if (was_real) result.note = "contains whole numbers as floating-point values, which are used as labels";
    return result;
  }
  if (values.dim() != 2) throw std::invalid_argument("has the shape " + shape + ", which is not one label per image");
  result.labels = one_hot_classes(values).contiguous();
  result.note = format_text("contains one-hot rows of {} classes", values.size(1));
  return result;
}

}  // namespace slopegan
