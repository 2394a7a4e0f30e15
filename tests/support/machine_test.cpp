#include "support/machine.h"

#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(UsableCores, AreLimitedByAffinityMaskAndQuota) {
  EXPECT_EQ(count_usable_cores(64, 64, {}).cores, 64);
  EXPECT_EQ(count_usable_cores(64, 64, {}).reason, "all cores");
  EXPECT_EQ(count_usable_cores(64, 8, {}).cores, 8);
  EXPECT_EQ(count_usable_cores(64, 8, {}).reason, "affinity mask: 8 of 64 cores");
  EXPECT_EQ(count_usable_cores(64, 64, {.cores = 2.0}).cores, 2);
  EXPECT_EQ(count_usable_cores(64, 64, {.cores = 2.5}).reason, "CPU quota: 2.5 of 64 cores");
  EXPECT_EQ(count_usable_cores(64, 4, {.cores = 16.0}).reason, "affinity mask: 4 of 64 cores");
  EXPECT_EQ(count_usable_cores(64, 64, {.cores = 0.5}).cores, 1);
}

TEST(Machine, HasUsableCoresAndMemory) {
  EXPECT_GE(usable_cores(), 1);
  EXPECT_GT(usable_memory_bytes(), 0U);
  EXPECT_LE(usable_memory_bytes(), physical_memory_bytes());
}

TEST(CpuModel, IsANameOrOnArmNumbers) {
  EXPECT_EQ(cpu_model_in("processor\t: 0\nmodel\t\t: 143\nmodel name\t: A processor @ 2 GHz\nflags\t\t: fpu\n"),
            "A processor @ 2 GHz");
  EXPECT_EQ(
      cpu_model_in("processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd0c\n\nprocessor"),
      "Arm, implementer 0x41, part 0xd0c");
  EXPECT_EQ(cpu_model_in("model name\t: First"), "First");
  for (const char* text : {"", "processor\t: 0\n", "model name\nflags\t: x\n", "model name\t: \n"}) {
    EXPECT_EQ(cpu_model_in(text), unknown_cpu) << text;
  }
  EXPECT_FALSE(cpu_model().empty());
}

TEST(ParseThreadCount, ReturnsTheFirstNumberOfTheList) {
  EXPECT_EQ(parse_thread_count("4"), 4);
  EXPECT_EQ(parse_thread_count(" 4,2"), 4);
  for (const char* text : {"", " ", "0", "-1", "four", "4x", "99999999999999999999"}) {
    EXPECT_FALSE(parse_thread_count(text)) << text;
  }
}

}  // namespace
}  // namespace slopegan
