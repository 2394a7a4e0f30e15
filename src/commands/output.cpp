#include "commands/output.h"

#include <cerrno>
#include <cstdio>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

void print(const std::string& text) {
  // The last guard of the terminal; foreign names should have gone through printable before.
  if (std::fputs(printable_lines(text).c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    if (errno == EPIPE) return;  // the reader has seen enough
    throw IoError("the results cannot be written to the standard output");
  }
}

}  // namespace slopegan
