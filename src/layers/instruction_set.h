#pragma once

#include <string>

namespace slopegan {

/// The instruction sets that the CPU kernels distinguish, from the oldest to the newest.
enum class InstructionSet {
  baseline,     ///< what the compiler targets by default: SSE2 on x86-64, NEON on aarch64
  avx2,         ///< x86-64-v3: AVX2 and FMA
  avx512,       ///< x86-64-v4: AVX-512 F, BW, CD, DQ and VL
  avx512_bf16,  ///< x86-64-v4 and AVX-512 BF16
};

/// The newest instruction set that the processor and the operating system support.
InstructionSet newest_instruction_set();

/// The instruction set that the kernels use: the newest one, or an older one that the environment variable SLOPEGAN_CPU
/// selects (default, avx2, avx512 or avx512_bf16). Selecting an instruction set that the processor lacks has no effect.
/// The variable is read once. Throws std::invalid_argument if its value is unknown.
InstructionSet instruction_set();

/// The value of SLOPEGAN_CPU for an instruction set.
std::string name_of(InstructionSet set);

/// Parses a value of SLOPEGAN_CPU. Empty text selects the newest set. Throws std::invalid_argument for an unknown
/// value.
InstructionSet parse_instruction_set(const std::string& text);

}  // namespace slopegan
