#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slopegan {

/// printf into a string. The compiler checks the arguments, and unlike fmt it is the same in every translation unit
/// (LibTorch's bundled fmt and the system's differ).
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

/// The shortest decimal that reads back as the same double: 0.2, 2e-04, 60000.
std::string shortest(double value);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// "60000 x 28 x 28".
std::string shape_text(const std::vector<std::int64_t>& sizes);

/// The candidate that is closest to `word` by edit distance with transpositions (optimal string alignment), or an empty
/// string where none is close enough to be what was meant (more than a third of the letters differ).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// `text` with every control character and every byte that is no valid UTF-8 replaced by '?', cut to `limit` bytes:
/// safe to print on a terminal.
std::string printable(std::string_view text, std::size_t limit = 200);

/// The same for text of several lines, however long: newlines stay.
std::string printable_lines(std::string_view text);

/// 00:41, 12:05, 3:07:12.
std::string clock_time(double seconds);

}  // namespace slopegan
