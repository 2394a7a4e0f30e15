#include <opencv2/core/version.hpp>
#include <torch/version.h>

#include "commands/arguments.h"

namespace slopegan {

Versions program_versions() {
  Versions versions;
  versions.slopegan = SLOPEGAN_VERSION;
  versions.libtorch = TORCH_VERSION;
  versions.opencv = CV_VERSION;
#if defined(__clang__)
  versions.compiler = __VERSION__;
#else
  versions.compiler = "GCC " __VERSION__;
#endif
  versions.git_commit = SLOPEGAN_COMMIT;
  return versions;
}

}  // namespace slopegan
