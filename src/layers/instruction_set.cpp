#include "layers/instruction_set.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace slopegan {

// The index of a name is the value of its enumerator.
static constexpr std::array<const char*, 4> instruction_set_names = {"default", "avx2", "avx512", "avx512_bf16"};

InstructionSet newest_instruction_set() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2");
  if (!v3) return InstructionSet::baseline;
  const bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (!v4) return InstructionSet::avx2;
  return __builtin_cpu_supports("avx512bf16") ? InstructionSet::avx512_bf16 : InstructionSet::avx512;
#else
  return InstructionSet::baseline;
#endif
}

InstructionSet parse_instruction_set(const std::string& text) {
  if (text.empty()) return InstructionSet::avx512_bf16;
  const auto found = std::find(instruction_set_names.begin(), instruction_set_names.end(), text);
  if (found != instruction_set_names.end()) return static_cast<InstructionSet>(found - instruction_set_names.begin());
  throw std::invalid_argument("SLOPEGAN_CPU = " + text + ": expected default, avx2, avx512 or avx512_bf16");
}

InstructionSet instruction_set() {
  static const InstructionSet set = [] {
    const char* value = std::getenv("SLOPEGAN_CPU");
    return std::min(parse_instruction_set(value != nullptr ? value : ""), newest_instruction_set());
  }();
  return set;
}

std::string name_of(InstructionSet set) { return instruction_set_names[static_cast<std::size_t>(set)]; }

}  // namespace slopegan
