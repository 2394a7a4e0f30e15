#include "layers/instruction_set.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"

namespace slopegan {
namespace {

constexpr InstructionSet every_set[] = {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512,
                                        InstructionSet::avx512_bf16};

TEST(InstructionSets, HaveNamesThatSelectThem) {
  for (const auto set : every_set) EXPECT_EQ(parse_instruction_set(name_of(set)), set);
  EXPECT_EQ(parse_instruction_set("default"), InstructionSet::baseline);
  EXPECT_EQ(parse_instruction_set(""), InstructionSet::avx512_bf16) << "the newest instruction set";
}

TEST(InstructionSets, AreLimitedToThoseOfTheProcessor) { EXPECT_LE(instruction_set(), newest_instruction_set()); }

TEST(InstructionSets, RejectUnknownNames) {
  EXPECT_EQ(message_of<std::invalid_argument>([] { parse_instruction_set("avx1024"); }),
            "SLOPEGAN_CPU = avx1024: expected default, avx2, avx512 or avx512_bf16");
}

}  // namespace
}  // namespace slopegan
