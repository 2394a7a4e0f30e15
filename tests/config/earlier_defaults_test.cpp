#include "config/earlier_defaults.h"

#include <gmock/gmock.h>

#include "config/print.h"
#include "load_fixture.h"

namespace slopegan {
namespace {

class EarlierDefaults : public LoadFixture {
 protected:
  EarlierDefaults() {
    stored_.training.batch_size = 64;
    stored_.optimizer.generator_lr = stored_.optimizer.discriminator_lr = 2e-4;
    stored_.loss.r1 = 0;
    stored_.loss.r1_every = 1;
    stored_.data.as_in_0_9 = true;
  }
  Config stored_;
};

TEST_F(EarlierDefaults, DifferFromTheCurrentDefaults) {
  for (std::size_t i = 0; i < earlier_defaults.size(); ++i) {
    const auto changed = differences(Config(), with_earlier_defaults({}, 1u << i));
    ASSERT_EQ(changed.size(), 1u);
    EXPECT_EQ(changed[0].key, earlier_defaults[i].key);
  }
}

TEST_F(EarlierDefaults, AreKeptForKeysThatTheUserDoesNotSet) {
  const auto given = load("seed: 3");
  const auto kept = kept_defaults(given, stored_);
  const auto config = with_earlier_defaults(given.config, kept);
  EXPECT_EQ(config.training.batch_size, 64);
  EXPECT_EQ(config.optimizer.generator_lr, 2e-4);
  EXPECT_EQ(config.optimizer.discriminator_lr, 2e-4);
  EXPECT_EQ(config.loss.r1, 0);
  EXPECT_EQ(config.loss.r1_every, 1);
  EXPECT_EQ(config.seed, 3u);
  EXPECT_THAT(kept_defaults_text(kept), ::testing::HasSubstr("training.batch_size: 64, optimizer.generator_lr: 2e-4"));
}

TEST_F(EarlierDefaults, AreOverriddenByTheUserAndByOtherStoredValues) {
  const auto given = load("training: {batch_size: 32}\nloss: {r1: 1, r1_every: 2}", {"optimizer.generator_lr=4e-4"});
  stored_.optimizer.discriminator_lr = 1e-4;
  EXPECT_EQ(kept_defaults(given, stored_), 0u);
  Config with_new_values;
  with_new_values.data.as_in_0_9 = true;
  EXPECT_EQ(kept_defaults(load(""), with_new_values), 0u);
}

TEST_F(EarlierDefaults, AreNotKeptIfALaterVersionStoredTheseValues) {
  const auto later = [](const Config& config) { return parse_config(to_yaml(config), "sweep.yaml"); };
  EXPECT_NE(kept_defaults(load(""), later(stored_)), 0u);
  stored_.data.as_in_0_9 = false;
  EXPECT_EQ(kept_defaults(load(""), later(stored_)), 0u);
}

TEST_F(EarlierDefaults, AreNotKeptIfTheUserSetsAKeyOfALaterVersion) {
  for (const auto* key : {"data.fit=pad", "data.background=black", "data.labels=none"}) {
    EXPECT_EQ(kept_defaults(load("", {key}), stored_), 0u) << key;
  }
}

}  // namespace
}  // namespace slopegan
