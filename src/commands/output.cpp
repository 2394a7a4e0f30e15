#include "commands/output.h"

#include <cerrno>
#include <cstdio>

#include "support/errors.h"

namespace slopegan {

void print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    if (errno == EPIPE) return;  // the reader has seen enough
    throw IoError("the results cannot be written to the standard output");
  }
}

}  // namespace slopegan
