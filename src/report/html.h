#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

/// Helpers for markup. Text from files (names, paths, messages) must pass through escape or script_json before it
/// enters the page.
namespace slopegan {

/// The files of assets/, embedded by assets/embed.cmake.
namespace assets {
extern const std::string_view page;            ///< the document
extern const std::string_view sweep_pictures;  ///< content of a sweep's pictures section
extern const std::string_view run_pictures;    ///< content of a run's pictures section
extern const std::string_view style;
extern const std::string_view script;
}  // namespace assets

/// Escapes text for element content and double-quoted attributes. Control characters and invalid UTF-8 become '?'.
std::string escape(std::string_view text);

/// Serialises JSON for a <script type="application/json"> element so that no string in it can close the element.
std::string script_json(const nlohmann::ordered_json& json);

/// Returns <name attributes>content</name>; `attributes` and `content` are markup.
std::string element(std::string_view name, std::string_view attributes, std::string_view content);

/// Replaces each {{name}} in `page` with the markup in `parts`, without rescanning the inserted text. Throws
/// std::out_of_range for unknown names.
std::string fill_page(std::string_view page, const std::map<std::string, std::string, std::less<>>& parts);

/// A table whose first column is a row header. Cells are markup.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> numeric;             ///< per column: aligned right
  std::vector<std::string> row_classes;  ///< empty, or one CSS class per row
};
/// Returns the markup of the table. `caption` is markup too.
std::string table_html(const Table& table, std::string_view caption = {});

/// Formats a value with four significant digits; "–" for NaN, "∞" for infinity.
std::string number_text(double value);

}  // namespace slopegan
