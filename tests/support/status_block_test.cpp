#include "support/status_block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "screen.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A terminal with a status block.
struct Console {
  TerminalSize size{20, 10};
  testing::Screen screen{20};
  StatusBlock block;

  void log(const std::string& line) { screen.write(block.write_above(line + "\n", size)); }
  void status(const std::vector<std::string>& lines) { screen.write(block.replace(lines, size)); }
  void resize(std::size_t columns) {
    size.columns = columns;
    screen.resize(columns);
  }
};

TEST(StatusBlock, StaysBelowTheLogAndChangesInPlace) {
  Console console;
  console.log("one");
  console.status({"a 10 %", "b 20 %", "all 15 %"});
  EXPECT_THAT(console.screen.lines(), ElementsAre("one", "a 10 %", "b 20 %", "all 15 %"));
  console.log("two");
  console.status({"a 11 %", "all 16 %"});
  EXPECT_THAT(console.screen.lines(), ElementsAre("one", "two", "a 11 %", "all 16 %"));
  console.status({});
  EXPECT_THAT(console.screen.lines(), ElementsAre("one", "two"));
  console.log("three");
  EXPECT_THAT(console.screen.lines(), ElementsAre("one", "two", "three"));
}

TEST(StatusBlock, WritesNothingIfNothingChanges) {
  StatusBlock block;
  EXPECT_EQ(block.replace({}, {}), "");
  EXPECT_NE(block.replace({"x"}, {}), "");
  EXPECT_EQ(block.replace({"x"}, {}), "");
}

TEST(StatusBlock, NeverWraps) {
  Console console;
  console.status({std::string(50, 'x')});
  EXPECT_THAT(console.screen.lines(), ElementsAre(std::string(19, 'x')));
}

TEST(StatusBlock, IsErasedCompletelyAfterTheTerminalBecomesNarrower) {
  Console console;
  console.log("one");
  console.status({std::string(19, 'a'), std::string(19, 'b')});
  console.resize(7);  // each of the two lines now takes three rows
  console.status({std::string(19, 'c'), std::string(19, 'd')});
  EXPECT_THAT(console.screen.lines(), ElementsAre("one", "cccccc", "dddddd"));
  console.resize(12);
  console.log("two");
  EXPECT_THAT(console.screen.lines(), ElementsAre("one", "two", "ccccccccccc", "ddddddddddd"));
}

TEST(StatusBlock, KeepsTheLastLineAndCountsTheHiddenLines) {
  Console console;
  console.size.rows = 5;
  console.status({"1", "2", "3", "4", "5", "6", "all"});
  EXPECT_THAT(console.screen.lines(), ElementsAre("1", "2", "... 4 more", "all"));
  for (const std::size_t rows : {1U, 2U}) {
    console.size.rows = rows;
    console.status({"1", "2", "all"});
    EXPECT_THAT(console.screen.lines(), ElementsAre("all"));
  }
}

TEST(StatusBlock, WorksOnATerminalWithOneColumn) {
  Console console;
  console.resize(1);
  console.status({"abc", "def"});
  EXPECT_THAT(console.screen.lines(), ElementsAre("a", "d"));
  console.status({});
  EXPECT_THAT(console.screen.lines(), IsEmpty());
}

TEST(CutToColumns, CutsBetweenCharacters) {
  EXPECT_EQ(cut_to_columns("a\xc3\xa9\xe2\x86\x92z", 3), "a\xc3\xa9\xe2\x86\x92");
  EXPECT_EQ(cut_to_columns("a\xc3\xa9\xe2\x86\x92z", 2), "a\xc3\xa9");
  EXPECT_EQ(cut_to_columns("abc", 3), "abc");
  EXPECT_EQ(cut_to_columns("abc", 0), "");
}

}  // namespace
}  // namespace slopegan
