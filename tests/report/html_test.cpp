#include "report/html.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(ReportHtml, EscapesMarkup) {
  EXPECT_EQ(escape("<img src=\"x\" onerror='a&b'>"), "&lt;img src=&quot;x&quot; onerror=&#39;a&amp;b&#39;&gt;");
  EXPECT_EQ(escape("slope 0.2 – ok"), "slope 0.2 – ok");
}

TEST(ReportHtml, ReplacesControlCharactersAndInvalidUtf8) {
  EXPECT_EQ(escape("a\x1b[31mb"), "a?[31mb");
  EXPECT_EQ(escape("a\xff"), "a?");
  EXPECT_EQ(escape(std::string("a\0b", 3)), "a?b");
}

TEST(ReportHtml, JsonCannotCloseTheScriptElement) {
  const std::string text = script_json({{"name", "</script><script>alert(1)</script><!--"}, {"bad", "\xff"}});
  EXPECT_EQ(text.find_first_of("<>&"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(text).at("name"), "</script><script>alert(1)</script><!--");
}

TEST(ReportHtml, FillPageDoesNotRescanInsertedText) {
  EXPECT_EQ(fill_page("<a>{{x}}</a>{{y}}", {{"x", "{{y}}"}, {"y", "1"}}), "<a>{{y}}</a>1");
  EXPECT_THROW(fill_page("{{z}}", {{"x", ""}}), std::out_of_range);
}

TEST(ReportHtml, FormatsNumbersForReading) {
  EXPECT_EQ(number_text(0.0182092), "0.01821");
  EXPECT_EQ(number_text(-2.5), "−2.5");
  EXPECT_EQ(number_text(std::nan("")), "–");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "∞");
}

}  // namespace
}  // namespace slopegan
