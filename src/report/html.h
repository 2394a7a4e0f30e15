#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

/// Text of foreign origin (names, paths, messages) on its way into the page: nothing of it is ever markup.
namespace slopegan {

/// For content of elements and for attributes in double quotes. Control characters and invalid UTF-8 become '?'.
std::string escape(std::string_view text);

/// JSON as the content of a <script type="application/json">, which no text in it can close.
std::string script_json(const nlohmann::ordered_json& json);

/// <name attributes>content</name>; `attributes` and `content` are markup.
std::string element(std::string_view name, std::string_view attributes, std::string_view content);

/// `page` with each {{name}} replaced once by the markup in `parts`; what is put in is not looked at again. Throws
/// std::out_of_range for a name that is not there.
std::string fill_page(std::string_view page, const std::map<std::string, std::string, std::less<>>& parts);

/// A table whose first column is a row header. Cells are markup; those of `numeric` columns (from 0) are aligned right.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> numeric;
  std::vector<std::string> row_classes;  ///< empty, or one a row
};
std::string table_html(const Table& table, std::string_view caption = {});

/// A value for people: four significant digits, "–" for NaN, "∞".
std::string number_text(double value);

/// 60,000.
std::string grouped(long long value);

}  // namespace slopegan
