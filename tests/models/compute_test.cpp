#include "models/compute.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "scoped_variable.h"
#include "support/machine.h"

namespace slopegan {
namespace {

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

TEST(ChooseCompute, IgnoresTheDefaultOfOneThreadThatTorchrunSets) {
  TrainingConfig training;
  training.device = Device::cpu;
  const ScopedVariable threads("OMP_NUM_THREADS", "1"), torchrun("TORCHELASTIC_RUN_ID", "none");
  EXPECT_EQ(choose_compute(training, 0, 1).threads_reason, "OMP_NUM_THREADS");
  EXPECT_NE(choose_compute(training, 0, 2).threads_reason, "OMP_NUM_THREADS");
  const ScopedVariable more("OMP_NUM_THREADS", "2");
  EXPECT_EQ(choose_compute(training, 0, 2).threads, 2);
}

TEST(LimitThreads, LowersTheNumberOfThreadsButNeverRaisesIt) {
  const int before = at::get_num_threads();
  at::set_num_threads(4);
  {
    const ScopedVariable variable("OMP_NUM_THREADS", "3");
    limit_threads();
    EXPECT_EQ(at::get_num_threads(), 3);
  }
  {
    const ScopedVariable variable("OMP_NUM_THREADS", "5");
    limit_threads();
    EXPECT_EQ(at::get_num_threads(), 3);
  }
  at::set_num_threads(static_cast<int>(usable_cores()) + 1);
  const ScopedVariable none("OMP_NUM_THREADS", nullptr);
  limit_threads();  // the limit is the affinity mask or the CPU quota
  EXPECT_EQ(at::get_num_threads(), usable_cores());
  at::set_num_threads(before);
}

}  // namespace
}  // namespace slopegan
