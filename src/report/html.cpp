#include "report/html.h"

#include <cmath>
#include <stdexcept>

#include "support/text.h"

namespace slopegan {

std::string escape(std::string_view text) {
  std::string safe;
  for (const char letter : printable_lines(text)) {
    switch (letter) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += letter;
    }
  }
  return safe;
}

std::string script_json(const nlohmann::ordered_json& json) {
  std::string safe;
  // In JSON these characters occur only inside strings, where the escape sequence is equivalent.
  for (const char letter : json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace)) {
    if (letter == '<' || letter == '>' || letter == '&') {
      safe += format_text("\\u{:04x}", static_cast<unsigned>(letter));
    } else {
      safe += letter;
    }
  }
  return safe;
}

std::string element(std::string_view name, std::string_view attributes, std::string_view content) {
  return format_text("<{}{}{}>{}</{}>", name, attributes.empty() ? "" : " ", attributes, content, name);
}

std::string fill_page(std::string_view page, const std::map<std::string, std::string, std::less<>>& parts) {
  std::string filled;
  while (true) {
    const auto begin = page.find("{{");
    filled += page.substr(0, begin);
    if (begin == std::string_view::npos) return filled;
    const auto end = page.find("}}", begin);
    const auto part = parts.find(page.substr(begin + 2, end - begin - 2));
    if (part == parts.end()) throw std::out_of_range("unknown part of a page: " + std::string(page.substr(begin, 40)));
    filled += part->second;
    page.remove_prefix(end + 2);
  }
}

static std::string table_row(const Table& table, std::size_t row) {
  std::string cells;
  for (std::size_t i = 0; i < table.rows[row].size(); ++i) {
    const bool numeric = i < table.numeric.size() && table.numeric[i];
    const std::string_view attributes = i == 0 ? "scope=\"row\"" : numeric ? "class=\"number\"" : "";
    cells += element(i == 0 ? "th" : "td", attributes, table.rows[row][i]);
  }
  const std::string kind = row < table.row_classes.size() ? table.row_classes[row] : "";
  return element("tr", kind.empty() ? "" : "class=\"" + kind + "\"", cells) + "\n";
}

std::string table_html(const Table& table, std::string_view caption) {
  std::string head, body;
  for (std::size_t i = 0; i < table.header.size(); ++i) {
    const bool numeric = i < table.numeric.size() && table.numeric[i];
    head += element("th", numeric ? "scope=\"col\" class=\"number\"" : "scope=\"col\"", table.header[i]);
  }
  for (std::size_t row = 0; row < table.rows.size(); ++row) body += table_row(table, row);
  std::string content;
  if (!head.empty()) content += element("thead", "", element("tr", "", head));
  content += element("tbody", "", "\n" + body);
  // Not a <caption>, which would scroll sideways with a wide table.
  const std::string above = caption.empty() ? "" : element("p", "class=\"note\"", caption);
  return above + element("div", "class=\"scroll\" tabindex=\"0\"", element("table", "", content)) + "\n";
}

std::string number_text(double value) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  std::string text = format_text("{:.4g}", value);
  if (text.starts_with('-')) text.replace(0, 1, "−");
  return text;
}

}  // namespace slopegan
