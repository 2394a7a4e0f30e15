#include "config/validate.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/keys.h"
#include "load_fixture.h"
#include "support/errors.h"
#include "support/ranges.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

bool nothing_given(std::string_view) { return false; }
bool all_given(std::string_view) { return true; }

std::vector<std::string> messages(const std::vector<Finding>& findings) {
  std::vector<std::string> all;
  for (const auto& finding : findings) all.push_back(finding.message);
  return all;
}

std::vector<std::string> errors(const Config& config) { return messages(validate(config, nothing_given).errors); }
std::vector<std::string> warnings(const Config& config) { return messages(validate(config, nothing_given).warnings); }

Config with_slope(double slope) {
  Config config;
  config.generator.negative_slope = NegativeSlope(slope);
  return config;
}

Config with_schedule(const SlopeSchedule& schedule) {
  Config config;
  config.generator.negative_slope.schedule = schedule;
  return config;
}

TEST(Validate, TheDefaultsAreValid) {
  EXPECT_THAT(errors(Config{}), IsEmpty());
  EXPECT_THAT(messages(validate(Config{}, all_given).warnings), IsEmpty());
}

TEST(Validate, CountsTheActivations) {
  EXPECT_EQ(activation_count(32), 3);
  EXPECT_EQ(activation_count(64), 4);
  EXPECT_EQ(activation_count(128), 5);
}

TEST(Validate, AListOfSlopesNeedsOneValuePerActivation) {
  for (const auto& [resolution, layers] : {std::pair{32, 3}, {64, 4}, {128, 5}}) {
    Config config;
    config.data.resolution = resolution;
    for (std::size_t length = 2; length < 8; ++length) {
      config.discriminator.negative_slope.values.assign(length, 0.1);
      EXPECT_THAT(errors(config), SizeIs(length == static_cast<std::size_t>(layers) ? 0 : 1));
    }
  }
  Config config;
  config.discriminator.negative_slope.values = {0.1, 0.2};
  EXPECT_THAT(errors(config), ElementsAre("discriminator.negative_slope has 2 values, but the discriminator has 3 "
                                          "activations at data.resolution = 32"));
}

TEST(Validate, WarnsAboutSlopesOutsideTheUnitInterval) {
  EXPECT_THAT(warnings(with_slope(0)), IsEmpty());
  EXPECT_THAT(warnings(with_slope(1)), IsEmpty());
  EXPECT_THAT(warnings(with_slope(-0.5)),
              ElementsAre("generator.negative_slope = -0.5 is outside [0, 1]: the activation is not monotone"));
  EXPECT_THAT(warnings(with_slope(1.5)),
              ElementsAre("generator.negative_slope = 1.5 is outside [0, 1]: negative inputs are amplified"));
  EXPECT_THAT(warnings(with_schedule({-0.1, 0.2, 100, SlopeShape::linear})), SizeIs(1));
}

TEST(Validate, LearnedSlopesMustStartInTheUnitInterval) {
  Config config = with_slope(1.5);
  config.generator.activation = ActivationKind::prelu;
  EXPECT_THAT(errors(config), ElementsAre("generator.negative_slope = 1.5 is outside [0, 1]: not allowed with "
                                          "generator.activation = prelu"));
  config.generator.negative_slope.values = {0, 0.5, 1};
  EXPECT_THAT(errors(config), IsEmpty());
}

TEST(Validate, BoundedLearnedSlopesMustStartInsideTheirBounds) {
  Config config = with_slope(0);
  config.generator.activation = ActivationKind::prelu;
  EXPECT_THAT(errors(config), IsEmpty());
  for (const PReluKind kind : {PReluKind::bounded, PReluKind::bounded_channel}) {
    config.generator.prelu = kind;
    config.generator.negative_slope = NegativeSlope(0);
    EXPECT_THAT(errors(config), ElementsAre(HasSubstr("allowed: above 0 and below 1")));
    config.generator.negative_slope = NegativeSlope(1);
    EXPECT_THAT(errors(config), SizeIs(1));
    config.generator.negative_slope = NegativeSlope(0.2);
    EXPECT_THAT(errors(config), IsEmpty());
  }
  config.generator.negative_slope = NegativeSlope(0);
  config.generator.activation = ActivationKind::leaky_relu;
  EXPECT_THAT(errors(config), IsEmpty()) << "generator.prelu has no effect on a fixed slope";
}

TEST(Validate, LearnedSlopesCannotHaveASchedule) {
  Config config = with_schedule({0.3, 0.1, 100, SlopeShape::linear});
  EXPECT_THAT(errors(config), IsEmpty());
  config.generator.activation = ActivationKind::prelu;
  EXPECT_THAT(errors(config), ElementsAre("generator.negative_slope is a schedule, but generator.activation = prelu "
                                          "learns its slope"));
}

TEST(Validate, ALogarithmicScheduleNeedsPositiveEnds) {
  EXPECT_THAT(errors(with_schedule({0.3, 0.01, 100, SlopeShape::log})), IsEmpty());
  EXPECT_THAT(errors(with_schedule({0.3, 0, 100, SlopeShape::log})),
              ElementsAre("generator.negative_slope: with shape log, from and to must be above 0"));
  EXPECT_THAT(errors(with_schedule({-0.3, 0.1, 100, SlopeShape::log})), SizeIs(1));
  EXPECT_THAT(errors(with_schedule({0.3, 0, 100, SlopeShape::cosine})), IsEmpty());
}

TEST(Validate, WarnsAboutAGivenSlopeThatHasNoEffect) {
  for (const auto activation : {ActivationKind::relu, ActivationKind::rrelu}) {
    Config config = with_slope(1.5);
    config.generator.activation = activation;
    EXPECT_THAT(warnings(config), IsEmpty()) << "the user did not set a slope";
    const auto given = [](std::string_view key) { return key == "generator.negative_slope"; };
    EXPECT_THAT(messages(validate(config, given).warnings), ElementsAre(HasSubstr("has no effect with generator.act")));
  }
}

TEST(Validate, WarnsAboutGivenOptionsOfAnotherActivation) {
  Config config;
  config.generator.prelu = PReluKind::channel;
  config.discriminator.rrelu = RReLUDefinition::divisor;
  EXPECT_THAT(warnings(config), IsEmpty()) << "the user set no option";
  EXPECT_THAT(messages(validate(config, all_given).warnings),
              ElementsAre("generator.prelu has no effect with generator.activation = leaky_relu",
                          "discriminator.rrelu has no effect with discriminator.activation = leaky_relu"));
  config.generator.activation = ActivationKind::prelu;
  config.discriminator.activation = ActivationKind::rrelu;
  const auto given = [](std::string_view key) { return key.ends_with("relu"); };
  EXPECT_THAT(messages(validate(config, given).warnings), IsEmpty());
}

TEST(Validate, RecognisesEveryOptionOfAnActivationByItsKey) {
  const std::vector<std::string> others = {"width", "activation", "negative_slope", "norm"};
  const auto keys = keys_of_section("generator");
  for (const auto& key : keys_of_section("discriminator")) {
    if (!contains(keys, key) || contains(others, key)) continue;
    const auto is_option_of = [&](ActivationKind kind) { return key.starts_with(name_of(kind)); };
    EXPECT_TRUE(std::ranges::any_of(enum_values<ActivationKind>, is_option_of)) << key;
  }
}

TEST(Validate, WarnsThatOnlyIdxImagesAreTransposed) {
  Config config;
  config.data.transpose = true;
  EXPECT_THAT(warnings(config), IsEmpty());
  config.data.kind = DatasetKind::cifar;
  EXPECT_THAT(warnings(config), ElementsAre(HasSubstr("data.transpose has no effect with data.kind = cifar")));
}

TEST(Validate, LimitsTheSizeOfTheSampleGrid) {
  Config config;
  config.samples.rows = 32;
  config.samples.columns = 32;
  EXPECT_THAT(errors(config), IsEmpty());
  config.samples.rows = 33;
  EXPECT_THAT(errors(config), SizeIs(1));
}

std::string sweep_error(const Config& config) {
  try {
    validate_sweep(config);
  } catch (const UsageError& e) {
    return e.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

class LoadedSweep : public LoadFixture {};

TEST_F(LoadedSweep, ReportsItsErrorsTogetherWithThoseOfTheFile) {
  const auto found =
      sweep_errors("generator: {widht: 3}\nsweep:\n  control: 0.15\n  design: race\n", {"sweep.seeds=[0, 0]"});
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_THAT(found[0], HasSubstr("x.yaml:1: generator.widht is not a key"));
  EXPECT_EQ(found[1], "command line: 'sweep.seeds=[0, 0]': sweep.seeds contains 0 twice");
  EXPECT_THAT(found[2], HasSubstr("x.yaml:3: sweep.control = 0.15 is not in sweep.negative_slope"));
}

TEST_F(LoadedSweep, ReportsNoErrorsThatFollowFromAnInvalidValue) {
  const auto found = sweep_errors("sweep: {control: 0.15, design: race, negative_slope: [0, 0.15, x]}");
  EXPECT_THAT(found, ElementsAre(HasSubstr("sweep.negative_slope")));
}

TEST_F(LoadedSweep, ReportsNoErrorOfTheConfigurationTwice) {
  EXPECT_THAT(sweep_errors("samples: {rows: 33, columns: 32}\nsweep: {seeds: [0, 0]}"), SizeIs(1));
}

TEST(ValidateSweep, AcceptsTheDefaults) { EXPECT_THAT(validate_sweep(Config{}), IsEmpty()); }

TEST(ValidateSweep, RequiresDistinctSlopesAndSeeds) {
  Config config;
  config.sweep.negative_slope = {0.2, 0.1, 0.2, -0.0, 0.0};
  config.sweep.seeds = {};
  EXPECT_EQ(sweep_error(config),
            "sweep.negative_slope contains 0.2 twice\n"
            "sweep.negative_slope contains 0 twice\n"
            "sweep.seeds is empty; a sweep needs at least one value");
  config.sweep.negative_slope = {};
  config.sweep.seeds = {3, 3};
  EXPECT_EQ(sweep_error(config),
            "sweep.negative_slope is empty; a sweep needs at least one value\n"
            "sweep.seeds contains 3 twice");
}

TEST(ValidateSweep, RequiresAnActivationThatUsesTheSlopeInEveryTarget) {
  Config config;
  config.generator.activation = ActivationKind::relu;
  EXPECT_EQ(sweep_error(config),
            "sweep.negative_slope has no effect with generator.activation = relu; change the activation or "
            "sweep.apply_to");
  config.sweep.apply_to = SweepTarget::discriminator;
  EXPECT_THAT(validate_sweep(config), IsEmpty());
  config.discriminator.activation = ActivationKind::rrelu;
  EXPECT_THAT(sweep_error(config), HasSubstr("discriminator.activation = rrelu"));
}

TEST(ValidateSweep, ChecksEachSlopeAgainstTheTargetsActivation) {
  Config config;
  config.generator.activation = ActivationKind::prelu;
  config.generator.prelu = PReluKind::bounded;
  config.sweep.negative_slope = {0, 0.2};
  EXPECT_EQ(sweep_error(config),
            "sweep.negative_slope = 0 is not allowed with generator.prelu = bounded; allowed: above 0 and below 1");
  config.sweep.apply_to = SweepTarget::discriminator;
  EXPECT_THAT(validate_sweep(config), IsEmpty());
}

TEST(ValidateSweep, ReportsSettingsThatARaceDoesNotAllow) {
  Config config;
  config.sweep.design = SweepDesign::race;
  EXPECT_THAT(validate_sweep(config), IsEmpty());
  config.sweep.control = 0.15;
  EXPECT_THAT(sweep_error(config), HasSubstr("sweep.control = 0.15 is not in sweep.negative_slope"));
  config.sweep.design = SweepDesign::fixed;
  EXPECT_THAT(validate_sweep(config), IsEmpty());
  config.sweep.design = SweepDesign::race;
  config.sweep.control = 0.2;
  config.sweep.negative_slope = {0.2};
  EXPECT_THAT(sweep_error(config), HasSubstr("sweep.negative_slope contains only the control"));
  config.sweep.negative_slope = {0, 0.2};
  config.sweep.give_up = 0.5;
  config.sweep.cross.list = {{{"loss.r1", "1"}}};
  config.metrics.every_images = 0;
  const auto error = sweep_error(config);
  for (const char* part : {"sweep.give_up = 0.5", "sweep.cross is not allowed", "metrics.every_images must not be 0"}) {
    EXPECT_THAT(error, HasSubstr(part));
  }
}

TEST(ValidateSweep, ChecksEveryConditionLikeAConfiguration) {
  Config config;
  config.sweep.cross.list = {{}, {{"generator.activation", "relu"}}, {{"samples.rows", "1000"}}};
  EXPECT_EQ(sweep_error(config).substr(0, 70),
            "sweep.cross {generator.activation: relu}: sweep.negative_slope has no ");
  EXPECT_THAT(sweep_error(config), HasSubstr("sweep.cross {samples.rows: 1000}: samples.rows * samples.columns"));
  config.sweep.cross.list = {{{"discriminator.negative_slope", "0.1"}}};
  EXPECT_EQ(sweep_error(config), "sweep.cross sets discriminator.negative_slope, which the sweep itself varies");
  config.sweep.apply_to = SweepTarget::generator;
  EXPECT_THAT(validate_sweep(config), IsEmpty());
}

TEST(ValidateSweep, WarnsAboutKeysOfAConditionThatHaveNoEffect) {
  Config config;
  config.loss.kind = LossKind::hinge;
  config.sweep.cross.list = {{{"loss.label_noise", "0"}}, {{"loss.label_noise", "0.1"}}};
  EXPECT_THAT(
      validate_sweep(config),
      ElementsAre("sweep.cross {loss.label_noise: 0}: loss.label_noise has no effect with loss.kind = hinge",
                  "sweep.cross {loss.label_noise: 0.1}: loss.label_noise has no effect with loss.kind = hinge"));
  config.sweep.cross.list = {{{"generator.prelu", "shared"}}, {{"generator.prelu", "channel"}}};
  EXPECT_THAT(validate_sweep(config), ElementsAre(HasSubstr("{generator.prelu: channel}: generator.prelu has no eff")));
}

TEST(ValidateSweep, OmitsWarningsThatDoNotInvolveAKeyOfTheCondition) {
  Config config;
  config.loss.gradient_penalty = 10;
  ASSERT_THAT(warnings(config), SizeIs(1)) << "a gradient penalty with batch norm";
  config.sweep.cross.list = {{}, {{"loss.r1", "1"}}, {{"discriminator.norm", "batch"}}};
  EXPECT_THAT(validate_sweep(config),
              ElementsAre(HasSubstr("sweep.cross {discriminator.norm: batch}: loss.gradient_")));
}

TEST(ValidateSweep, OmitsTheWarningAboutAnOptionThatAConditionUses) {
  Config config;
  config.generator.prelu = PReluKind::channel;
  config.sweep.apply_to = SweepTarget::discriminator;
  const auto count = [&] {
    return validate(config, [](std::string_view key) { return key == "generator.prelu"; }).warnings.size();
  };
  EXPECT_EQ(count(), 1u);
  config.sweep.cross.list = {{}, {{"generator.activation", "rrelu"}}};
  EXPECT_EQ(count(), 1u);
  config.sweep.cross.list.push_back({{"generator.activation", "prelu"}});
  EXPECT_EQ(count(), 0u);
  config.sweep.cross.list.push_back({{"generator.activation", "relu"}, {"generator.prelu", "channel"}});
  EXPECT_THAT(validate_sweep(config), ElementsAre(HasSubstr("generator.prelu has no effect with generator.activation = "
                                                            "relu")));
}

TEST(ValidateSweep, WarnsOnceAboutASlopeOutsideTheUnitInterval) {
  Config config;
  config.sweep.negative_slope = {0.2, 1.5};
  EXPECT_THAT(validate_sweep(config),
              ElementsAre("sweep.negative_slope = 1.5 is outside [0, 1]: negative inputs are amplified"));
}

TEST(Validate, WarnsAboutAGradientPenaltyWithBatchNormButNotAboutR1) {
  Config config;
  config.loss.r1 = 0.2;
  EXPECT_THAT(warnings(config), IsEmpty());
  config.loss.gradient_penalty = 10;
  EXPECT_THAT(warnings(config), ElementsAre(HasSubstr("loss.gradient_penalty with discriminator.norm = batch")));
  config.discriminator.norm = DiscriminatorNorm::none;
  EXPECT_THAT(warnings(config), IsEmpty());
}

TEST(Validate, WarnsAboutAnUnboundedWassersteinLoss) {
  Config config;
  config.loss.kind = LossKind::wasserstein;
  EXPECT_THAT(warnings(config), ElementsAre(HasSubstr("set loss.gradient_penalty = 10")));
  config.discriminator.norm = DiscriminatorNorm::spectral;
  EXPECT_THAT(warnings(config), IsEmpty());
  config.discriminator.norm = DiscriminatorNorm::none;
  config.loss.gradient_penalty = 10;
  EXPECT_THAT(warnings(config), IsEmpty());
}

TEST(Validate, WarnsAboutTargetsThatTheLossDoesNotUse) {
  Config config;
  config.loss.kind = LossKind::hinge;
  const auto given = [](std::string_view key) { return key == "loss.label_noise"; };
  EXPECT_THAT(messages(validate(config, given).warnings),
              ElementsAre("loss.label_noise has no effect with loss.kind = hinge"));
  config.loss.kind = LossKind::lsgan;
  EXPECT_THAT(messages(validate(config, given).warnings), IsEmpty());
}

TEST(Validate, WarnsAboutLearningRatesThatReachZeroBeforeTheEnd) {
  Config config;
  config.optimizer.lr_decay_images = 1000;
  EXPECT_THAT(warnings(config), IsEmpty()) << "there is no decay";
  config.optimizer.lr_decay = LearningRateDecay::linear;
  EXPECT_THAT(warnings(config),
              ElementsAre("the learning rates reach 0 after 1000 images, before the end of training"));
}

}  // namespace
}  // namespace slopegan
