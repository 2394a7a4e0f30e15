#include "run/json.h"

#include <algorithm>
#include <limits>
#include <span>
#include <unistd.h>

#include "support/errors.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

using nlohmann::json;

std::string json_text(const nlohmann::ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string valid_utf8(std::string_view text) { return json::parse(json_text(text)).get<std::string>(); }

std::int64_t whole_number(const json& value) {
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > largest)) {
    throw WrongJsonType("expected an integer");
  }
  return value.get<std::int64_t>();
}

double number_or_nan(const json& value) {
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!value.is_number()) throw WrongJsonType("expected a number");
  return value.get<double>();
}

std::optional<json> parse_json_object(std::string_view text) {
  bool too_deep = false;
  const auto limit_depth = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > 32;
    return !too_deep;  // false discards the value
  };
  const json value = json::parse(text, limit_depth, false);
  if (too_deep || !value.is_object()) return std::nullopt;
  return value;
}

namespace {

constexpr std::size_t longest_line = std::size_t{1} << 20;

/// Reads the complete lines of a file, without their newlines.
class LineReader {
 public:
  explicit LineReader(const std::filesystem::path& file) : file_(PosixFile::open_regular(file)) {}

  /// Returns the next line, or std::nullopt at the end of the file. A line longer than the limit may be truncated, but
  /// the returned part is still longer than the limit. Do not call next() again after such a line.
  std::optional<std::string_view> next() {
    std::size_t searched = begin_;
    for (;;) {
      const std::size_t end = buffer_.find('\n', searched);
      if (end != std::string::npos) {
        const std::string_view line = std::string_view(buffer_).substr(begin_, end - begin_);
        begin_ = end + 1;
        return line;
      }
      if (buffer_.size() - begin_ > longest_line) return std::string_view(buffer_).substr(begin_, longest_line + 1);
      searched = buffer_.size() - begin_;
      if (!read_more()) return std::nullopt;
    }
  }

 private:
  bool read_more() {
    constexpr std::size_t block = std::size_t{1} << 16;
    buffer_.erase(0, begin_);
    begin_ = 0;
    const std::size_t before = buffer_.size();
    buffer_.resize(before + block);
    const std::size_t count = file_.read(std::as_writable_bytes(std::span(buffer_).subspan(before)));
    buffer_.resize(before + count);
    return count > 0;
  }

  PosixFile file_;
  std::string buffer_;
  std::size_t begin_ = 0;  ///< offset of the next line in `buffer_`
};

bool is_accepted(const std::function<void(const json&)>& take, std::string_view line) {
  const auto object = line.size() > longest_line ? std::nullopt : parse_json_object(line);
  if (!object) return false;
  try {
    take(*object);
    return true;
  } catch (const json::exception&) {
    return false;
  } catch (const WrongJsonType&) {
    return false;
  }
}

}  // namespace

void for_each_json_line(const std::filesystem::path& file, const std::string& what,
                        const std::function<void(const json&)>& take) {
  LineReader lines(file);
  std::size_t number = 0;
  while (const auto line = lines.next()) {
    ++number;
    if (is_accepted(take, *line)) continue;
    throw DataError(format_text("{}:{}: this line is not a valid {} record", display(file), number, what));
  }
}

bool take_last_json_line(const std::filesystem::path& file, const std::function<void(const json&)>& take,
                         std::optional<std::uint64_t> first_bytes) {
  auto opened = PosixFile::open_regular(file);
  const std::uint64_t size = std::min(opened.size(), first_bytes.value_or(opened.size())),
                      wanted = std::min<std::uint64_t>(size, longest_line + 2);
  if (::lseek(opened.descriptor(), static_cast<off_t>(size - wanted), SEEK_SET) < 0) throw_io_error("read", file);
  std::string text(wanted, '\0');
  text.resize(opened.read(std::as_writable_bytes(std::span(text))));
  const std::size_t end = text.rfind('\n');
  if (end == std::string::npos || end == 0) return false;
  const std::size_t before = text.rfind('\n', end - 1);
  // The line begins before the part that was read, for example because it is longer than the limit.
  if (before == std::string::npos && wanted < size) return false;
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return is_accepted(take, std::string_view(text).substr(begin, end - begin));
}

}  // namespace slopegan
