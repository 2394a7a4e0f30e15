#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/text.h"

namespace slopegan::fuzz {

/// Ends the process where a promise does not hold: libFuzzer keeps the input that broke it.
inline void promise(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

/// A message for people: something, and safe to print.
inline void promise_message(const std::string& message) {
  promise(!message.empty() && printable_lines(message) == message, "messages are printable");
}

}  // namespace slopegan::fuzz
