#include "training/parallel_training.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "distributed/rank_environment.h"
#include "expect_error.h"
#include "models/named_tensors.h"
#include "rank_processes.h"
#include "support/errors.h"
#include "support/random.h"
#include "support/signals.h"
#include "temporary_directory.h"
#include "training/gan_step.h"

namespace slopegan {
namespace {

constexpr std::int64_t batch = 64;

/// Environment variables that pass the test case and the result file to the ranks in a test.
constexpr const char* case_variable = "SLOPEGAN_TEST_CASE";
constexpr const char* result_variable = "SLOPEGAN_TEST_RESULT";

Config base_config() {
  Config config;
  config.generator.width = config.discriminator.width = 4;
  config.generator.latent_dim = 8;
  config.loss.r1 = 0;
  config.loss.r1_every = 1;
  config.training.total_images = 10000;
  config.training.batch_size = batch;
  return config;
}

/// The configuration of a named test case.
Config config_of(const std::string& name) {
  auto config = base_config();
  if (name == "all terms") {
    config.discriminator.norm = DiscriminatorNorm::spectral;
    config.loss.kind = LossKind::relativistic;
    config.loss.r1 = config.loss.r2 = 0.5;
    config.loss.gradient_penalty = 1;
    config.discriminator.augment = {Augmentation::color, Augmentation::translation, Augmentation::cutout};
    config.optimizer.discriminator_steps = 2;
  }
  if (name == "penalty through batch norm") {
    config.loss.r1 = 0.5;
    config.loss.label_noise = 0.1;
  }
  if (name == "self modulated") {
    config.generator.norm = GeneratorNorm::self_modulated;
    config.init.std = 0.1;
  }
  return config;
}

int steps_of(const std::string& name) { return name == "two ranks" ? 20 : 6; }

/// Two ranks split 61 images into parts of 30 and 31.
std::int64_t batch_of(const std::string& name) { return name == "odd batch" ? 61 : batch; }

at::Tensor real_batch(std::int64_t number, std::int64_t count) {
  auto images = at::empty({count, 1, 32, 32}, at::kFloat);
  RandomStream(1, "test images", static_cast<std::uint64_t>(number))
      .fill_uniform({images.mutable_data_ptr<float>(), static_cast<std::size_t>(images.numel())}, -1, 1);
  return images;
}

struct Outcome {
  std::vector<double> losses;  ///< losses, penalty and mean probabilities of all steps
  std::vector<double> state;   ///< every tensor of the state, flattened
};

Outcome train(const std::string& name, Ranks* ranks) {
  at::set_num_threads(1);
  const auto config = config_of(name);
  GanState state(config, 1, at::kCPU, at::kDouble);
  const Compute compute{at::kCPU, at::kDouble, 1};
  std::unique_ptr<DataParallel> parallel;
  if (ranks != nullptr) parallel = join_ranks(state, config, "", *ranks);
  const auto part = Part::of_rank(ranks ? ranks->rank() : 0, ranks ? ranks->size() : 1, batch_of(name));
  Outcome outcome;
  for (int step = 0; step < steps_of(name); ++step) {
    std::vector<RealImages> batches;
    for (std::int64_t i = 0; i < config.optimizer.discriminator_steps; ++i) {
      const auto whole = real_batch(step * config.optimizer.discriminator_steps + i, part.total);
      batches.emplace_back(whole.narrow(0, part.first, part.count), part);
    }
    const auto stats = gan_step(state, config, compute, batches, parallel.get());
    outcome.losses.insert(outcome.losses.end(), {stats.discriminator_loss, stats.generator_loss,
                                                 stats.gradient_penalty.value_or(0), stats.d_real, stats.d_fake});
  }
  if (parallel) end_step(*parallel, state, config, 0);
  for (const auto& [tensor_name, tensor] : state.tensors()) {
    const auto values = tensor.detach().to(at::kDouble).contiguous();
    outcome.state.insert(outcome.state.end(), values.const_data_ptr<double>(),
                         values.const_data_ptr<double>() + values.numel());
  }
  return outcome;
}

/// The body of a rank, which is a process of this test program that runs only this test.
TEST(DataParallelRank, TrainsIfStartedAsARank) {
  const auto name = environment_value(case_variable), file = environment_value(result_variable);
  if (!name || !file) GTEST_SKIP() << "this process was not started as a rank";
  Ranks ranks(*read_rank_environment(environment_value), at::kCPU);
  const auto outcome = train(*name, &ranks);
  ranks.finish();
  std::ofstream(*file) << nlohmann::json{{"losses", outcome.losses}, {"state", outcome.state}};
}

Outcome read_outcome(const std::filesystem::path& file) {
  const auto json = nlohmann::json::parse(std::ifstream(file));
  return {json["losses"].get<std::vector<double>>(), json["state"].get<std::vector<double>>()};
}

/// Trains in `size` processes and returns their outcomes.
std::vector<Outcome> train_in_processes(const std::string& name, int size) {
  const TemporaryDirectory directory;
  const int port = testing::free_port();
  std::vector<pid_t> processes;
  for (int rank = 0; rank < size; ++rank) {
    const auto file = directory / std::to_string(rank);
    const pid_t process = ::fork();
    if (process == 0) {
      testing::become_rank(rank, size, port);
      ::setenv(case_variable, name.c_str(), 1);
      ::setenv(result_variable, file.c_str(), 1);
      ::execl("/proc/self/exe", "rank", "--gtest_filter=DataParallelRank.*", "--gtest_brief=1", nullptr);
      ::_exit(127);
    }
    processes.push_back(process);
  }
  std::vector<Outcome> outcomes;
  for (int rank = 0; rank < size; ++rank) {
    int status = 0;
    ::waitpid(processes[static_cast<std::size_t>(rank)], &status, 0);
    EXPECT_EQ(status, 0) << "rank " << rank;
    if (status == 0) outcomes.push_back(read_outcome(directory / std::to_string(rank)));
  }
  return outcomes;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

class DataParallelOf : public ::testing::TestWithParam<std::tuple<const char*, int>> {};

TEST_P(DataParallelOf, MatchesOneProcessWithTheWholeBatch) {
  const auto& [name, size] = GetParam();
  const auto alone = train(name, nullptr);
  const auto together = train_in_processes(name, size);
  ASSERT_EQ(together.size(), static_cast<std::size_t>(size));
  for (const auto& rank : together) {
    EXPECT_LT(largest_difference(rank.losses, alone.losses), 1e-9);
    EXPECT_LT(largest_difference(rank.state, alone.state), 1e-8);
    EXPECT_EQ(rank.losses, together.front().losses);
    EXPECT_EQ(rank.state, together.front().state);
  }
}

INSTANTIATE_TEST_SUITE_P(, DataParallelOf,
                         ::testing::Values(std::tuple{"two ranks", 2}, std::tuple{"odd batch", 2},
                                           std::tuple{"all terms", 3}, std::tuple{"penalty through batch norm", 2},
                                           std::tuple{"self modulated", 2}),
                         [](const auto& instance) {
                           std::string name = std::get<0>(instance.param);
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

TEST(DataParallel, DetectsWeightsThatDiffer) {
  const int port = testing::free_port();
  std::atomic<int> found = 0;
  const auto rank = [&](int number) {
    Ranks ranks({number, 2, 0, 1, "127.0.0.1", static_cast<std::uint16_t>(port), false, "0"}, at::kCPU);
    const auto config = base_config();
    GanState state(config, 1, at::kCPU);
    const auto parallel = join_ranks(state, config, "", ranks);
    EXPECT_NO_THROW(end_step(*parallel, state, config, config.training.total_images));
    state.steps = 1;
    state.images_seen = config.training.total_images;  // weights are also compared at the end of a run
    EXPECT_NO_THROW(end_step(*parallel, state, config, 0));
    auto& weight = state.discriminator->blocks.back()->conv->weight;
    if (number == 1) {
      const at::NoGradGuard no_gradients;
      weight[0][0][0][0] = at::nextafter(weight[0][0][0][0], at::full({}, 1.0f));
    }
    try {
      end_step(*parallel, state, config, 0);
    } catch (const std::logic_error&) {
      ++found;
    }
    ranks.finish();
  };
  std::thread second([&] { rank(1); });
  rank(0);
  second.join();
  EXPECT_EQ(found, 2);
}

/// Rank 0 ends a step, and rank 1 makes the same collective calls. A signal is recorded when rank 0 has probably
/// already reported to rank 1 that it received none. Returns whether rank 0 does what the ranks have agreed on.
bool is_stop_agreed_on() {
  at::set_num_threads(1);
  const int port = testing::free_port();
  const auto config = base_config();
  std::int64_t agreed = -1;
  bool stopped = false;
  const auto connect = [port](int number) {
    return std::make_unique<Ranks>(
        RankEnvironment{number, 2, 0, 1, "127.0.0.1", static_cast<std::uint16_t>(port), false, "0"}, at::kCPU);
  };
  std::thread first([&] {
    const auto ranks = connect(0);
    GanState state(config, 1, at::kCPU);
    const auto parallel = join_ranks(state, config, "", *ranks);
    state.steps = 1;  // the weights are compared only if the ranks stop
    stopped = end_step(*parallel, state, config, 0);
    ranks->finish();
  });
  const auto ranks = connect(1);
  GanState state(config, 1, at::kCPU);
  const auto parallel = join_ranks(state, config, "", *ranks);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  record_stop_signal(SIGTERM);
  agreed = ranks->all_reduce_max(0);
  if (agreed != 0) parallel->has_same_weights();  // the ranks stop, so rank 0 compares the weights
  ranks->finish();
  first.join();
  return stopped == (agreed != 0);
}

TEST(DataParallel, StopsOnlyOnASignalThatTheRanksHaveAgreedOn) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // the recorded signal cannot be removed from this process
  EXPECT_EXIT(std::_Exit(is_stop_agreed_on() ? 0 : 1), ::testing::ExitedWithCode(0), "");
}

TEST(DataParallel, ReportsADivergenceOnAllRanksAndItsCauseOnOne) {
  const int port = testing::free_port();
  std::array<std::string, 2> messages;
  const auto rank = [&](int number) {
    Ranks ranks({number, 2, 0, 1, "127.0.0.1", static_cast<std::uint16_t>(port), false, "0"}, at::kCPU);
    auto config = base_config();
    config.training.sync_batch_norm = true;
    GanState state(config, 1, at::kCPU);
    const auto parallel = join_ranks(state, config, "", ranks);
    auto images = real_batch(0, batch / 2);
    if (number == 1) images.view(-1)[3] = std::numeric_limits<float>::infinity();
    const Compute compute{at::kCPU, at::kFloat, 1};
    const Part part{number * batch / 2, batch / 2, batch};
    messages[static_cast<std::size_t>(number)] =
        message_of<DivergedError>([&] { gan_step(state, config, compute, {{images, part}}, parallel.get()); });
    ranks.finish();
  };
  std::thread second([&] { rank(1); });
  rank(0);
  second.join();
  EXPECT_EQ(messages[0], "training diverged at step 0 (0 images): the discriminator's loss is NaN");
  EXPECT_EQ(messages[1], messages[0] + "; the real images are not finite");
}

TEST(DataParallel, RejectsConfigurationsThatSeveralRanksCannotTrain) {
  auto config = base_config();
  config.training.total_images = 640;
  EXPECT_NO_THROW(check_trainable_by(4, config, 0));
  config.generator.activation = ActivationKind::rrelu;
  EXPECT_THAT(message_of<UsageError>([&] { check_trainable_by(2, config, 0); }),
              ::testing::HasSubstr("generator.activation = rrelu"));
  config = base_config();
  config.training.batch_size = 2;
  EXPECT_EQ(message_of<UsageError>([&] { check_trainable_by(3, config, 0); }),
            "training.batch_size = 2, the global batch size, is too small for 3 ranks; allowed: 3 or more");
  config = base_config();
  config.training.total_images = 65;
  EXPECT_THAT(message_of<UsageError>([&] { check_trainable_by(2, config, 0); }),
              ::testing::HasSubstr("has 1 image for 2 ranks"));
  EXPECT_NO_THROW(check_trainable_by(2, config, 1));
}

}  // namespace
}  // namespace slopegan
