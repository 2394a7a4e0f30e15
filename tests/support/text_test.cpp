#include "support/text.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(FormatText, ReplacesFieldsLikeFmt) {
  EXPECT_EQ(format_text("{} of {:.1f} MiB, {:>5}|{:<5}|{:03}", std::int64_t{3}, 4.54, "ab", std::string("cd"), 7u),
            "3 of 4.5 MiB,    ab|cd   |007");
  EXPECT_EQ(format_text("{:.{}f} {:0{}}", 2.0 / 3, 2, 5, 3), "0.67 005");
  EXPECT_EQ(format_text("100 % of {{}}"), "100 % of {}");
}

TEST(Counted, AddsAnSExceptForOne) {
  EXPECT_EQ(counted(1, "seed") + ", " + counted(0, "arm") + ", " + counted(std::size_t{3}, "image"),
            "1 seed, 0 arms, 3 images");
}

TEST(LowerCase, ChangesAsciiLettersOnly) { EXPECT_EQ(lower_case(".PnG1_\xc3\x84"), ".png1_\xc3\x84"); }

TEST(FormatText, FormatsTheLargestIntegers) {
  EXPECT_EQ(format_text("{} {}", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::uint64_t>::max()),
            "-9223372036854775808 18446744073709551615");
}

TEST(FormatText, RejectsAMismatchedPattern) {
  const FormatArgument arguments[] = {std::int64_t{1}};
  EXPECT_THROW(format_arguments("{} {}", arguments), std::logic_error);
  EXPECT_THROW(format_arguments("{:s}", arguments), std::logic_error);
}

TEST(CsvCell, QuotesSeparatorsQuotesAndLineBreaks) {
  EXPECT_EQ(csv_cell("a b"), "a b");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("a \"b\"\n"), "\"a \"\"b\"\"\n\"");
}

TEST(Nearest, CorrectsATypo) {
  const std::vector<std::string> words = {"float32", "bfloat16", "auto"};
  EXPECT_EQ(nearest("bfloat61", words), "bfloat16");
  EXPECT_EQ(nearest("flaot32", words), "float32");
  EXPECT_EQ(nearest("aut", words), "auto");
  EXPECT_EQ(nearest("auto", words), "auto");
}

TEST(Nearest, ReturnsAnEmptyStringIfNoWordIsClose) {
  EXPECT_EQ(nearest("epochs", {"batch_size", "width"}), "");
  EXPECT_EQ(nearest("", {"batch_size"}), "");
  EXPECT_EQ(nearest("width", {}), "");
}

TEST(Nearest, CountsATranspositionAsOneError) {
  // One edit is allowed in a word of four letters.
  EXPECT_EQ(nearest("sede", {"seed"}), "seed");
  EXPECT_EQ(nearest("esed", {"seed"}), "seed");
  EXPECT_EQ(nearest("desx", {"seed"}), "");
}

TEST(Nearest, PrefersTheFirstOfEquallyCloseWords) { EXPECT_EQ(nearest("rowx", {"rows", "row1"}), "rows"); }

TEST(Printable, KeepsTextInUtf8) {
  EXPECT_EQ(printable("plain text"), "plain text");
  EXPECT_EQ(printable("Straße 4 × 4 😀"), "Straße 4 × 4 😀");
}

TEST(Printable, ReplacesControlCharacters) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a?[31mb");
  EXPECT_EQ(printable("a\nb\tc\rd\x7f"), "a?b?c?d?");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(printable("\xc2\x9b"), "??");  // U+009B, a control sequence introducer
}

TEST(Printable, ReplacesInvalidUtf8) {
  EXPECT_EQ(printable("\xff\xfe"), "??");
  EXPECT_EQ(printable("a\xc3"), "a?");
  EXPECT_EQ(printable("\xc0\xaf"), "??");    // an overlong '/'
  EXPECT_EQ(printable("\xe2\x82z"), "??z");  // an incomplete three-byte sequence
  EXPECT_EQ(printable("\xf5\x80\x80\x80"), "????");
}

TEST(Printable, ReplacesOverlongAndSurrogateSequences) {
  EXPECT_EQ(printable("\xe0\x80\xaf"), "???");                                   // an overlong '/'
  EXPECT_EQ(printable("\xe0\x82\x9b"), "???");                                   // an overlong U+009B
  EXPECT_EQ(printable("\xed\xa0\x80"), "???");                                   // U+D800
  EXPECT_EQ(printable("\xf0\x80\x80\x9b"), "????");                              // overlong
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????");                              // above U+10FFFF
  EXPECT_EQ(printable("\xed\x9f\xbf\xee\x80\x80"), "\xed\x9f\xbf\xee\x80\x80");  // the neighbours of the surrogates
}

TEST(Printable, TruncatesLongTextBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abcdef...");
  EXPECT_EQ(printable("abc\xc3\x9f", 4), "abc...");
}

TEST(PrintableLines, KeepsNewlines) {
  EXPECT_EQ(printable_lines("a\n\n\x1b[1mb\r\n"), "a\n\n?[1mb?\n");
  EXPECT_EQ(printable_lines("no end\t"), "no end?");
  EXPECT_EQ(printable_lines(""), "");
  EXPECT_EQ(printable_lines(std::string(5000, 'x')), std::string(5000, 'x'));
}

TEST(Shortest, ReadsBackAsTheSameDouble) {
  for (const double value : {0.1, 0.2, 1.0 / 3.0, 2e-4, 1e-300, 123456.789, 6e4, -0.01, 1e15, 1e22, 4.9e-324,
                             std::numeric_limits<double>::max()}) {
    EXPECT_EQ(std::strtod(shortest(value).c_str(), nullptr), value) << shortest(value);
  }
}

TEST(Shortest, AvoidsExponentsForIntegers) {
  EXPECT_EQ(shortest(0.2), "0.2");
  EXPECT_EQ(shortest(0), "0");
  EXPECT_EQ(shortest(60000), "60000");
  EXPECT_EQ(shortest(1e12), "1000000000000");
  EXPECT_EQ(shortest(-600000), "-600000");
  EXPECT_EQ(shortest(2e-4), "2e-04");
  EXPECT_EQ(shortest(0.001), "0.001");
}

TEST(ClockTime, ShowsHoursOnlyIfNeeded) {
  EXPECT_EQ(clock_time(0), "00:00");
  EXPECT_EQ(clock_time(41.4), "00:41");
  EXPECT_EQ(clock_time(59.6), "01:00");
  EXPECT_EQ(clock_time(12 * 60 + 5), "12:05");
  EXPECT_EQ(clock_time(3599), "59:59");
  EXPECT_EQ(clock_time(3600), "1:00:00");
  EXPECT_EQ(clock_time(3 * 3600 + 7 * 60 + 12), "3:07:12");
  EXPECT_EQ(clock_time(100 * 3600), "100:00:00");
}

TEST(ClockTime, ShowsDashesForAnInvalidDuration) {
  EXPECT_EQ(clock_time(-1), "--:--");
  EXPECT_EQ(clock_time(std::nan("")), "--:--");
  EXPECT_EQ(clock_time(std::numeric_limits<double>::infinity()), "--:--");
}

TEST(Grouped, SeparatesThousands) {
  EXPECT_EQ(grouped(60000), "60,000");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

TEST(EnumerateWords, PutsTheWordBeforeTheLastPart) {
  EXPECT_EQ(enumerate_words({}, "and"), "");
  EXPECT_EQ(enumerate_words({"a"}, "and"), "a");
  EXPECT_EQ(enumerate_words({"a", "b"}, "or"), "a or b");
  EXPECT_EQ(enumerate_words({"a", "b", "c"}, "and"), "a, b and c");
}

TEST(Join, PutsTheSeparatorBetweenParts) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join({"", "b"}, ", "), ", b");
}

TEST(FormatText, AcceptsTextOfAnyLength) {
  EXPECT_EQ(format_text("{} is {}", "x", 5), "x is 5");
  EXPECT_EQ(format_text("{}", std::string(5000, 'a')).size(), 5000u);
  EXPECT_EQ(format_text("{}", ""), "");
}

}  // namespace
}  // namespace slopegan
