#include "models/compute.h"

#include <cstdlib>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

/// Sets an environment variable until the end of the scope; nullptr removes it.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() { set(before_ ? before_->c_str() : nullptr); }

 private:
  void set(const char* value) const { value != nullptr ? ::setenv(name_, value, 1) : ::unsetenv(name_); }

  const char* name_;
  std::optional<std::string> before_;
};

TEST(ChooseCompute, TakesTheNumberOfThreadsFromTheKeyThenTheVariableThenTheCores) {
  TrainingConfig training;
  training.device = Device::cpu;
  const ScopedVariable variable("OMP_NUM_THREADS", "3");
  EXPECT_EQ(choose_compute(training).threads, 3);
  EXPECT_EQ(choose_compute(training).threads_reason, "OMP_NUM_THREADS");
  training.threads = 5;
  EXPECT_EQ(choose_compute(training).threads, 5);
  EXPECT_EQ(choose_compute(training).threads_reason, "training.threads");
  training.threads = 0;
  const ScopedVariable none("OMP_NUM_THREADS", nullptr);
  EXPECT_GE(choose_compute(training).threads, 1);
  EXPECT_FALSE(choose_compute(training).threads_reason.empty());
}

TEST(ChooseCompute, IgnoresTheOneThreadThatTorchrunSetsForEveryProgram) {
  TrainingConfig training;
  training.device = Device::cpu;
  const ScopedVariable threads("OMP_NUM_THREADS", "1"), torchrun("TORCHELASTIC_RUN_ID", "none");
  EXPECT_EQ(choose_compute(training, 0, 1).threads_reason, "OMP_NUM_THREADS");
  EXPECT_NE(choose_compute(training, 0, 2).threads_reason, "OMP_NUM_THREADS");
  const ScopedVariable more("OMP_NUM_THREADS", "2");
  EXPECT_EQ(choose_compute(training, 0, 2).threads, 2);
}

}  // namespace
}  // namespace slopegan
