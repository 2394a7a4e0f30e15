#include "data/npy_header.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/npz_writer.h"
#include "expect_error.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string refusal(const std::string& bytes) {
  return message_of<std::invalid_argument>([&] { parse_npy_header(bytes); });
}

TEST(NpyHeader, HoldsTypeShapeAndWhereTheValuesBegin) {
  const auto header = parse_npy_header(npy("|u1", "(60, 28, 28, 3)", "values"));
  EXPECT_EQ(header.type, "|u1");
  EXPECT_THAT(header.shape, ElementsAre(60, 28, 28, 3));
  EXPECT_EQ(header.values_at % 64, 0u);
  EXPECT_EQ(npy("|u1", "(60, 28, 28, 3)", "values").substr(header.values_at), "values");
  EXPECT_THAT(parse_npy_header(npy("<i8", "(5,)", "", "True")).shape, ElementsAre(5));  // where orders are one
  EXPECT_THAT(parse_npy_header(npy("<i8", "()", "")).shape, IsEmpty());
}

TEST(NpyHeader, IsReadInItsLaterVersions) {
  const std::string text = "{'shape': (2, 3), 'fortran_order': False, 'descr': '<u2'}\n";
  for (const char version : {'\2', '\3'}) {
    std::string bytes = std::string("\x93NUMPY") + version + '\0';
    bytes += static_cast<char>(text.size());
    bytes += std::string(3, '\0') + text;
    EXPECT_THAT(parse_npy_header(bytes).shape, ElementsAre(2, 3));
  }
}

TEST(NpyHeader, SaysWhatIsWrong) {
  EXPECT_THAT(refusal("PK\3\4 and more bytes"), HasSubstr("is no NumPy array"));
  EXPECT_THAT(refusal(""), HasSubstr("is no NumPy array"));
  EXPECT_THAT(refusal(npy("|u1", "(4, 4)", "", "True")), HasSubstr("Fortran's order"));
  std::string records = npy("|u1", "(4,)", "");
  records.replace(records.find("'|u1'"), 5, "[('a'");
  EXPECT_THAT(refusal(records), HasSubstr("holds records"));
  std::string later = npy("|u1", "(4,)", "");
  later[6] = 9;
  EXPECT_THAT(refusal(later), HasSubstr("version 9"));
  std::string long_one = npy("|u1", "(4,)", "");
  long_one[9] = '\x7f';
  EXPECT_THAT(refusal(long_one), HasSubstr("a header of"));
  EXPECT_THAT(refusal(npy("|u1", "(4,)", "").substr(0, 40)), HasSubstr("ends within its header"));
}

TEST(NpyHeader, WhateverElseStandsThereIsRefused) {
  for (const char* shape : {"(4", "4)", "(-4,)", "(4;)", "(1e9,)", "(99999999999999999999,)", "(4 4)", "[4]", "(,)",
                            "(1,1,1,1,1,1,1,1,1)", "(4,), 'shape': (5,)", "(4,), 'more': 'x'", "(4,)} {"}) {
    EXPECT_THAT(refusal(npy("|u1", shape, "")), HasSubstr("damaged header")) << shape;
  }
  EXPECT_THAT(refusal(npy("|u1", "(4,)", "", "Maybe")), HasSubstr("damaged header"));
  EXPECT_THAT(refusal(npy(std::string(40, 'x'), "(4,)", "")), HasSubstr("damaged header"));
  const std::string whole = npy("|u1", "(4,)", "");
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(refusal(whole.substr(0, size)), "");
}

}  // namespace
}  // namespace slopegan
