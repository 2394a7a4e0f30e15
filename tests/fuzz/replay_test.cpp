#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>

#include "fuzz/targets.h"

namespace slopegan::fuzz {
namespace {

struct Target {
  const char* name;  ///< also the name of its directory in tests/fuzz/corpus
  void (*run)(Bytes);
};

/// Prints the name shown by CTest.
void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

class FuzzTarget : public ::testing::TestWithParam<Target> {};

/// The corpus contains valid files, damaged files, and inputs found by fuzzers. A violated property aborts the process.
TEST_P(FuzzTarget, ReplaysItsCorpus) {
  const std::filesystem::path corpus = std::filesystem::path(SLOPEGAN_SOURCE_DIR) / "tests/fuzz/corpus";
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus / GetParam().name)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    SCOPED_TRACE(entry.path());
    GetParam().run({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    ++inputs;
  }
  EXPECT_GE(inputs, 5) << corpus / GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzTarget,
                         ::testing::Values(Target{"config_file", config_file},
                                           Target{"config_override", config_override}, Target{"idx_file", idx_file},
                                           Target{"npz_file", npz_file}, Target{"npy_array", npy_array},
                                           Target{"safetensors_file", safetensors_file},
                                           Target{"checkpoint_manifest", checkpoint_manifest},
                                           Target{"run_history", run_history}),
                         [](const auto& target) { return target.param.name; });

}  // namespace
}  // namespace slopegan::fuzz
