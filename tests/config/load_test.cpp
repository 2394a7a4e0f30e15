#include "config/load.h"

#include <cstdlib>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load_fixture.h"
#include "config/print.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Lines = std::vector<std::string>;

class LoadConfig : public LoadFixture {};

TEST_F(LoadConfig, ReturnsTheDefaultsForAnEmptyFile) {
  EXPECT_THAT(differences(load("").config, Config{}), IsEmpty());
  EXPECT_THAT(differences(load("# nothing\n").config, Config{}), IsEmpty());
  EXPECT_THAT(differences(load("training:\n  # batch_size: 8\n").config, Config{}), IsEmpty());
}

TEST_F(LoadConfig, ReadsEveryType) {
  const Config config = load(
                            "seed: 7\n"
                            "run: {name: my-run_1.2, output_dir: /tmp/some where}\n"
                            "data:\n  flip: true\n  resolution: 64\n"
                            "generator:\n  negative_slope: [0.1, 0.2, 0.3, 0.4]\n  activation: prelu\n"
                            "discriminator:\n  norm: spectral\n"
                            "  negative_slope: {from: 0.3, to: 0.01, over_images: 6e4, shape: log}\n"
                            "optimizer: {generator_lr: 1e-3}\n"
                            "sweep: {negative_slope: [0, 1], seeds: [5], apply_to: generator}\n")
                            .config;
  EXPECT_EQ(config.seed, 7);
  EXPECT_EQ(config.run.name, "my-run_1.2");
  EXPECT_EQ(config.run.output_dir, "/tmp/some where");
  EXPECT_TRUE(config.data.flip);
  EXPECT_EQ(config.data.resolution, 64);
  EXPECT_EQ(config.generator.activation, ActivationKind::prelu);
  EXPECT_THAT(config.generator.negative_slope.values, ElementsAre(0.1, 0.2, 0.3, 0.4));
  EXPECT_EQ(config.discriminator.norm, DiscriminatorNorm::spectral);
  ASSERT_TRUE(config.discriminator.negative_slope.schedule.has_value());
  EXPECT_EQ(*config.discriminator.negative_slope.schedule, (SlopeSchedule{0.3, 0.01, 60000, SlopeShape::log}));
  EXPECT_EQ(config.optimizer.generator_lr, 1e-3);
  EXPECT_THAT(config.sweep.negative_slope, ElementsAre(0, 1));
  EXPECT_THAT(config.sweep.seeds, ElementsAre(5));
  EXPECT_EQ(config.sweep.apply_to, SweepTarget::generator);
}

TEST_F(LoadConfig, ReadsAColourAfterAnEqualsSignAlthoughItLooksLikeAComment) {
  for (const char* text : {"data.background=#00fF00", "data.background='#00fF00'", "data.background=\"#00fF00\""}) {
    const auto config = load("", {text}).config;
    EXPECT_EQ(config.data.background, "#00fF00") << text;
    EXPECT_THAT(differences(load(to_yaml(config)).config, config), IsEmpty());
  }
  EXPECT_THAT(override_errors({"data.background=#12345"}), ElementsAre(HasSubstr("#rrggbb")));
  EXPECT_THAT(override_errors({"data.background=green"}), ElementsAre(HasSubstr("white, black, none or #rrggbb")));
}

TEST_F(LoadConfig, ReadsNumbersInTheirUsualForms) {
  EXPECT_EQ(load("training: {total_images: 6e4}").config.training.total_images, 60000);
  EXPECT_EQ(load("training: {total_images: 60000.0}").config.training.total_images, 60000);
  EXPECT_EQ(load("training: {total_images: +60000}").config.training.total_images, 60000);
  EXPECT_EQ(load("seed: 9223372036854775807").config.seed, 9223372036854775807);
  EXPECT_EQ(load("optimizer: {generator_lr: 2E-4}").config.optimizer.generator_lr, 2e-4);
  EXPECT_EQ(load("init: {std: .5}").config.init.std, 0.5);
  EXPECT_EQ(load("init: {std: 1}").config.init.std, 1.0);
}

TEST_F(LoadConfig, TheFileReplacesDefaultsAndOverridesTakePrecedence) {
  const std::string file = "generator: {width: 16, latent_dim: 50}\n";
  const Config config = load(file, {"generator.width=8", "generator.negative_slope=0.37", "generator.width=24"}).config;
  EXPECT_EQ(config.generator.width, 24);
  EXPECT_EQ(config.generator.latent_dim, 50);
  EXPECT_EQ(config.generator.negative_slope, NegativeSlope(0.37));
  EXPECT_EQ(config.discriminator.width, Config{}.discriminator.width);
}

TEST_F(LoadConfig, OverridesAcceptListsSchedulesTextAndWholeSections) {
  const Config config =
      load("", {"generator.negative_slope=[0.1,0.2,0.3]",
                "discriminator.negative_slope={from: 0.3, to: 0.01, over_images: 60000, shape: linear}",
                "sweep.seeds=[0,1]", "data.path=\"/a # b\"", "training={batch_size: 8, threads: 1}"})
          .config;
  EXPECT_THAT(config.generator.negative_slope.values, ElementsAre(0.1, 0.2, 0.3));
  EXPECT_EQ(config.discriminator.negative_slope.schedule->to, 0.01);
  EXPECT_THAT(config.sweep.seeds, ElementsAre(0, 1));
  EXPECT_EQ(config.data.path, "/a # b");
  EXPECT_EQ(config.training.batch_size, 8);
  EXPECT_EQ(config.training.threads, 1);
}

TEST_F(LoadConfig, NamesTheLineOfAnUnknownKeyAndTheNearestKey) {
  EXPECT_EQ(errors("generator:\n  width: 8\n  negative_slop: 0.3\n"),
            Lines{"x.yaml:3: generator.negative_slop is not a key; did you mean generator.negative_slope?"});
  EXPECT_EQ(errors("seed: 0\n\ntrainig:\n  batch_size: 8\n"),
            Lines{"x.yaml:3: trainig is not a key; did you mean training?"});
  EXPECT_EQ(errors("generator: {batch_size: 8}"),
            Lines{"x.yaml:1: generator.batch_size is not a key; did you mean training.batch_size?"});
  EXPECT_EQ(errors("generatr: {width: 8}"), Lines{"x.yaml:1: generatr is not a key; did you mean generator?"});
  EXPECT_EQ(override_errors({"generatr.negative_slop=1"}).front(),
            "command line: 'generatr.negative_slop=1': generatr.negative_slop is not a key; did you mean "
            "generator.negative_slope?");
  EXPECT_EQ(errors("generator: {batch_siz: 8}"),
            Lines{"x.yaml:1: generator.batch_siz is not a key; did you mean training.batch_size?"});
  EXPECT_EQ(errors("colour: red"),
            Lines{"x.yaml:1: colour is not a key; allowed: seed, run, data, generator, discriminator, init, loss, "
                  "optimizer, ema, training, samples, checkpoint, metrics, diagnostics, events, sweep"});
  EXPECT_EQ(errors("loss: {colour: red}"),
            Lines{"x.yaml:1: loss.colour is not a key; allowed: kind, real_label, label_noise, r1, r2, r1_every, "
                  "gradient_penalty"});
}

TEST_F(LoadConfig, SuggestsTheFullKeyForAKeyWithoutItsSection) {
  EXPECT_EQ(override_errors({"batch_size=8"}),
            Lines{"command line: 'batch_size=8': batch_size is not a key; did you mean training.batch_size?"});
  EXPECT_EQ(override_errors({"negative_slop=0.37"}),
            Lines{"command line: 'negative_slop=0.37': negative_slop is not a key; did you mean "
                  "generator.negative_slope or discriminator.negative_slope or sweep.negative_slope?"});
  EXPECT_THAT(override_errors({"negative_slope=0.1"}).front(), HasSubstr("did you mean generator.negative_slope or"));
  EXPECT_THAT(errors("negative_slope: 0.1\n").front(), HasSubstr("did you mean generator.negative_slope or"));
}

TEST_F(LoadConfig, ExplainsThatDottedKeysAreNestedInAFile) {
  EXPECT_EQ(errors("training.total_images: 5"),
            Lines{"x.yaml:1: training.total_images is not a key: keys in a file are nested; write training: "
                  "{total_images: ...}"});
  EXPECT_EQ(
      errors("generator: {a.b: 5}"),
      Lines{
          "x.yaml:1: generator.a.b is not a key; allowed: latent_dim, width, activation, negative_slope, prelu, rrelu, "
          "norm"});
}

TEST_F(LoadConfig, NamesTheAllowedRange) {
  EXPECT_EQ(errors("training:\n  batch_size: -3"),
            Lines{"x.yaml:2: training.batch_size = -3 is out of range; allowed: 1 to 65536"});
  EXPECT_EQ(errors("seed: -1"), Lines{"x.yaml:1: seed = -1 is out of range; allowed: 0 or more"});
  EXPECT_EQ(errors("optimizer: {beta1: 1}"),
            Lines{"x.yaml:1: optimizer.beta1 = 1 is out of range; allowed: at least 0 and below 1"});
  EXPECT_EQ(errors("optimizer: {generator_lr: 0}"),
            Lines{"x.yaml:1: optimizer.generator_lr = 0 is out of range; allowed: above 0 and at most 1"});
  EXPECT_EQ(
      errors("samples: {every_images: -1}"),
      Lines{"x.yaml:1: samples.every_images = -1 is out of range; allowed: 0 to 1000000000000 (0: only at the end)"});
  EXPECT_EQ(errors("data: {resolution: 48}"),
            Lines{"x.yaml:1: data.resolution = 48 is not allowed; allowed: 32, 64, 128"});
  EXPECT_THAT(errors("generator: {negative_slope: 2.5}").front(),
              HasSubstr("generator.negative_slope = 2.5 is out of range; allowed: a number from -2 to 2, a list"));
}

TEST_F(LoadConfig, AcceptsTheBoundsOfARange) {
  EXPECT_EQ(load("training: {batch_size: 1}").config.training.batch_size, 1);
  EXPECT_EQ(load("training: {batch_size: 65536}").config.training.batch_size, 65536);
  EXPECT_THAT(errors("training: {batch_size: 65537}"), ::testing::SizeIs(1));
  EXPECT_THAT(errors("training: {batch_size: 0}"), ::testing::SizeIs(1));
  EXPECT_EQ(load("loss: {real_label: 1.2}").config.loss.real_label, 1.2);
  EXPECT_EQ(load("optimizer: {beta1: 0}").config.optimizer.beta1, 0);
}

TEST_F(LoadConfig, ListsTheNamesOfAnEnumeration) {
  EXPECT_EQ(
      errors("training:\n  precision: float8"),
      Lines{"x.yaml:2: training.precision = float8 is not allowed; allowed: auto, float32, bfloat16 (did you mean "
            "float32?)"});
  EXPECT_EQ(errors("training: {device: tpu}"),
            Lines{"x.yaml:1: training.device = tpu is not allowed; allowed: auto, cpu, cuda (did you mean cpu?)"});
  EXPECT_EQ(errors("generator: {norm: spectral}"),
            Lines{"x.yaml:1: generator.norm = spectral is not allowed; allowed: batch, self_modulated, none"});
}

TEST_F(LoadConfig, RejectsValuesOfADifferentType) {
  const std::string batch = "training: {batch_size: ";
  const std::string allowed = "; allowed: 1 to 65536";
  EXPECT_EQ(errors(batch + "many}"), Lines{"x.yaml:1: training.batch_size = many is not a whole number" + allowed});
  EXPECT_EQ(errors(batch + "64.5}"), Lines{"x.yaml:1: training.batch_size = 64.5 is not a whole number" + allowed});
  EXPECT_EQ(errors(batch + "true}"), Lines{"x.yaml:1: training.batch_size = true is not a whole number" + allowed});
  EXPECT_EQ(errors(batch + "0x40}"), Lines{"x.yaml:1: training.batch_size = 0x40 is not a whole number" + allowed});
  EXPECT_EQ(errors(batch + "\"64\"}"),
            Lines{"x.yaml:1: training.batch_size = \"64\" is text in quotes, not a whole number" + allowed});
  EXPECT_EQ(errors(batch + "[64]}"), Lines{"x.yaml:1: training.batch_size is a list, not a whole number" + allowed});
  EXPECT_EQ(errors(batch + "{a: 1}}"), Lines{"x.yaml:1: training.batch_size is a map, not a whole number" + allowed});
  EXPECT_EQ(errors("init: {std: \"0.2\"}"),
            Lines{"x.yaml:1: init.std = \"0.2\" is text in quotes, not a number; allowed: above 0 and at most 10"});
  EXPECT_EQ(errors("init: {std: 0.2.1}"),
            Lines{"x.yaml:1: init.std = 0.2.1 is not a number; allowed: above 0 and at most 10"});
  EXPECT_EQ(errors("data: {flip: 1}"), Lines{"x.yaml:1: data.flip = 1 is not true or false; allowed: true, false"});
  EXPECT_EQ(errors("data: {flip: yes}"), Lines{"x.yaml:1: data.flip = yes is not true or false; allowed: true, false"});
  EXPECT_EQ(errors("training: {device: [cpu]}"),
            Lines{"x.yaml:1: training.device is a list, not a name; allowed: auto, cpu, cuda"});
  EXPECT_THAT(errors("sweep: {seeds: 3}").front(),
              HasSubstr("sweep.seeds = 3 is not a list: write [3]; allowed: a list of"));
  EXPECT_THAT(override_errors({"sweep.seeds=0,1,2"}).front(), HasSubstr("write [0,1,2]"));
  EXPECT_THAT(override_errors({"discriminator.augment=color"}).front(), HasSubstr("write [color]"));
  EXPECT_THAT(errors("training: 5").front(),
              HasSubstr("x.yaml:1: training is a section with the keys total_images, batch_size"));
  EXPECT_EQ(errors("- seed\n"), Lines{"x.yaml:1: the file must contain keys with values, such as 'seed: 0'"});
}

TEST_F(LoadConfig, RejectsNumbersThatAreNotFiniteOrTooLarge) {
  for (const std::string value : {".nan", ".inf", "-.inf", "nan", "inf", "1e999", "-1e999"}) {
    EXPECT_EQ(errors("init: {std: " + value + "}"),
              Lines{"x.yaml:1: init.std = " + value + " is out of range; allowed: above 0 and at most 10"});
  }
  for (const std::string value : {"9223372036854775808", "1e300", ".inf", "1e999"}) {
    EXPECT_EQ(errors("seed: " + value), Lines{"x.yaml:1: seed = " + value + " is out of range; allowed: 0 or more"});
  }
}

TEST_F(LoadConfig, TreatsANumberThatIsTooSmallForADoubleAsTheSmallestDouble) {
  constexpr double smallest = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(load("init: {std: 1e-400}").config.init.std, smallest);
  EXPECT_EQ(load("generator: {negative_slope: -1e-400}").config.generator.negative_slope, NegativeSlope(-smallest));
  EXPECT_THAT(errors("init: {std: -1e-400}").front(), HasSubstr("init.std = -1e-400 is out of range"));
  EXPECT_THAT(errors("seed: 1e-400").front(), HasSubstr("seed = 1e-400 is not a whole number"));
}

TEST_F(LoadConfig, ReportsTheLineOfAKeyWithoutAValue) {
  EXPECT_EQ(errors("training:\n  batch_size:\n\n\nseed: ~\n"),
            (Lines{"x.yaml:2: training.batch_size has no value; allowed: 1 to 65536",
                   "x.yaml:5: seed has no value; allowed: 0 or more"}));
  EXPECT_EQ(override_errors({"seed="}), Lines{"command line: 'seed=': seed has no value; allowed: 0 or more"});
  EXPECT_THAT(override_errors({"training="}).front(), HasSubstr("training is a section"));
}

TEST_F(LoadConfig, RejectsRunNamesAndPathsWithForbiddenCharacters) {
  const std::string long_name(65, 'a');
  for (const std::string name : {".", "..", "a/b", "\"\"", "a b", "\"a\\nb\"", "ü", long_name.c_str()}) {
    EXPECT_THAT(errors("run: {name: " + name + "}").front(), HasSubstr("is not allowed; allowed: 1 to 64 letters"));
  }
  EXPECT_EQ(load("run: {name: " + long_name.substr(1) + "}").config.run.name.size(), 64u);
  EXPECT_EQ(load("run: {name: 2024}").config.run.name, "2024");
  EXPECT_THAT(errors("data: {path: \"\"}").front(), HasSubstr("data.path = \"\" is not allowed"));
  EXPECT_EQ(errors("data: {path: \"a\\e[31m\"}"),
            Lines{"x.yaml:1: data.path = \"a?[31m\" is not allowed; allowed: a path of at most 4096 bytes in UTF-8, "
                  "without control characters"});
}

TEST_F(LoadConfig, NamesTheInvalidEntryOfAList) {
  EXPECT_THAT(errors("generator:\n  negative_slope:\n    - 0.1\n    - x\n    - 0.3\n").front(),
              HasSubstr("x.yaml:4: generator.negative_slope[1] = x is not a number; allowed: -2 to 2"));
  EXPECT_EQ(errors("sweep: {seeds: [0, -1, 1.5]}"),
            (Lines{"x.yaml:1: sweep.seeds[1] = -1 is out of range; allowed: 0 or more",
                   "x.yaml:1: sweep.seeds[2] = 1.5 is not a whole number; allowed: 0 or more"}));
  EXPECT_THAT(errors("generator: {negative_slope: []}").front(), HasSubstr("generator.negative_slope has 0 entries"));
  EXPECT_THAT(errors("generator: {negative_slope: [0.1]}").front(), HasSubstr("has 1 entry; allowed: a number"));
}

TEST_F(LoadConfig, ChecksTheKeysOfASchedule) {
  EXPECT_EQ(
      errors("generator:\n  negative_slope:\n    from: 0.3\n    till: 0.01\n    to: 0.01\n    over_images: 0\n"),
      (Lines{"x.yaml:6: generator.negative_slope.over_images = 0 is out of range; allowed: 1 to 1000000000000",
             "x.yaml:4: generator.negative_slope.till is not a key; the keys of a schedule are from, to, over_images, "
             "shape"}));
  EXPECT_THAT(errors("generator: {negative_slope: {from: 0.3, to: 0.1}}").front(),
              HasSubstr("generator.negative_slope has no 'over_images'; allowed:"));
  EXPECT_THAT(errors("generator: {negative_slope: {from: 0.3, to: 0.1, over_images: 5, shape: cosin}}").front(),
              HasSubstr("generator.negative_slope.shape = cosin is not allowed; allowed: linear, cosine, log (did you "
                        "mean cosine?)"));
}

TEST_F(LoadConfig, ReportsAllErrorsFromAllSourcesAtOnce) {
  EXPECT_EQ(
      errors("seed: x\ngenerator:\n  width: 0\n  negative_slop: 0.1\n  negative_slope: [0.1, 0.2]\n"
             "seed: 1\n",
             {"training.precision=float8", "nonsense", "=5"}),
      (Lines{"x.yaml:6: seed is given twice, first on line 1",
             "x.yaml:1: seed = x is not a whole number; allowed: 0 or more",
             "x.yaml:3: generator.width = 0 is out of range; allowed: 1 to 1024",
             "x.yaml:4: generator.negative_slop is not a key; did you mean generator.negative_slope?",
             "command line: 'training.precision=float8': training.precision = float8 is not allowed; allowed: "
             "auto, float32, bfloat16 (did you mean float32?)",
             "command line: 'nonsense': not of the form key=value", "command line: '=5': not of the form key=value",
             "x.yaml:5: generator.negative_slope has 2 values, but the generator has 3 activations at "
             "data.resolution = 32"}));
}

TEST_F(LoadConfig, ReportsOneErrorForAValueThatCannotBeParsed) {
  // A list of four slopes is invalid at the default resolution of 32, but valid at the intended resolution of 64.
  EXPECT_EQ(errors("data: {resolution: 64x}\ngenerator: {negative_slope: [0.1, 0.1, 0.1, 0.1]}\n"),
            Lines{"x.yaml:1: data.resolution = 64x is not a whole number; allowed: 32, 64, 128"});
}

TEST_F(LoadConfig, LocatesAnErrorInvolvingTwoKeysAtTheKeyThatWasGiven) {
  EXPECT_EQ(errors("seed: 0\nsamples:\n  columns: 1024\n"),
            Lines{"x.yaml:3: samples.rows * samples.columns = 8192 is out of range; allowed: at most 1024"});
  EXPECT_EQ(
      errors("samples:\n  columns: 4\n", {"samples.rows=500"}),
      Lines{"command line: 'samples.rows=500': samples.rows * samples.columns = 2000 is out of range; allowed: at "
            "most 1024"});
}

TEST_F(LoadConfig, LocatesWarningsLikeErrors) {
  EXPECT_THAT(load("").warnings, IsEmpty());
  const auto warnings =
      load("generator:\n  activation: relu\n  negative_slope: 0.2\n", {"discriminator.negative_slope=-0.1"}).warnings;
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(warnings[0],
            "command line: 'discriminator.negative_slope=-0.1': discriminator.negative_slope = -0.1 is outside [0, 1]: "
            "the activation is not monotone");
  EXPECT_THAT(warnings[1], ::testing::EndsWith("x.yaml:3: generator.negative_slope has no effect with "
                                               "generator.activation = relu"));
}

TEST_F(LoadConfig, ReadsAListOfNames) {
  const auto names = load("metrics: {names: [kd, memorisation]}").config.metrics.names;
  EXPECT_EQ(names, (std::vector{MetricName::kd, MetricName::memorisation}));
  EXPECT_EQ(errors("metrics: {names: [fd, kid]}"),
            Lines{"x.yaml:1: metrics.names[1] = kid is not allowed; allowed: fd, kd, precision_recall, "
                  "density_coverage, classifier_score, memorisation (did you mean kd?)"});
  EXPECT_EQ(
      errors("metrics: {names: fd}"),
      Lines{"x.yaml:1: metrics.names = fd is not a list: write [fd]; allowed: a list of at most 6 of the names fd, kd, "
            "precision_recall, density_coverage, classifier_score, memorisation"});
}

TEST_F(LoadConfig, ReadsOneFeatureExtractorOrAList) {
  const auto choices = [&](const std::string& text) {
    const auto config = load(text).config;
    EXPECT_EQ(load(to_yaml(config)).config.metrics.extractor, config.metrics.extractor);
    return config.metrics.extractor.choices;
  };
  EXPECT_EQ(choices(""), (std::vector<std::string>{"auto"}));
  EXPECT_EQ(choices("metrics: {extractor: inception.pt}"), (std::vector<std::string>{"inception.pt"}));
  EXPECT_EQ(choices("metrics: {extractor: [classifier, efficientnet-lite0]}"),
            (std::vector<std::string>{"classifier", "efficientnet-lite0"}));
  const std::string allowed =
      "; allowed: auto, classifier, efficientnet-lite0, random, or a path of at most 4096 bytes; or a list of at most "
      "4 "
      "of these";
  EXPECT_EQ(errors("metrics: {extractor: []}"), Lines{"x.yaml:1: metrics.extractor has 0 entries" + allowed});
  EXPECT_EQ(errors("metrics: {extractor: [a, b, c, d, e]}"),
            Lines{"x.yaml:1: metrics.extractor has 5 entries" + allowed});
  EXPECT_EQ(errors("metrics: {extractor: {a: b}}"),
            Lines{"x.yaml:1: metrics.extractor is a map, not text or a list" + allowed});
  EXPECT_EQ(errors("metrics: {extractor: [[a]]}"),
            Lines{"x.yaml:1: metrics.extractor[0] is a list, not text" + allowed});
}

TEST_F(LoadConfig, RejectsAnOverrideThatIsPartlyAComment) {
  EXPECT_EQ(override_errors({"data.path=/data/set #1"}),
            Lines{"command line: 'data.path=/data/set #1': ' #' starts a comment; put the value in double quotes"});
  EXPECT_EQ(load("", {"data.path=/data/set#1"}).config.data.path, "/data/set#1");
}

TEST_F(LoadConfig, ExpandsHomeAndVariablesInEveryPath) {
  ::setenv("SLOPEGAN_TEST_PLACE", "/big disk", 1);
  const std::string home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  const auto config = load("run: {output_dir: $SLOPEGAN_TEST_PLACE/runs}\ndata: {path: ~/photos}\n").config;
  EXPECT_EQ(config.run.output_dir, "/big disk/runs");
  EXPECT_EQ(config.data.path, home + "/photos");
  EXPECT_EQ(load("", {"data.path=${SLOPEGAN_TEST_PLACE}/x"}).config.data.path, "/big disk/x");
  EXPECT_EQ(load("", {"data.path=./~/a$$b"}).config.data.path, "./~/a$b");
  EXPECT_EQ(load("run: {output_dir: \"~\"}").config.run.output_dir, home);
  EXPECT_EQ(load("", {"run.output_dir=~"}).config.run.output_dir, home) << "~ means null only in a file";
  EXPECT_EQ(load("run: {name: a}\ndata: {background: white}").config.data.background, "white");
  ::unsetenv("SLOPEGAN_TEST_PLACE");
}

TEST_F(LoadConfig, NamesTheLocationOfAnUnsetVariable) {
  EXPECT_EQ(errors("seed: 1\nrun:\n  output_dir: $SLOPEGAN_TEST_NONE/runs\n"),
            Lines{"x.yaml:3: run.output_dir = $SLOPEGAN_TEST_NONE/runs: the environment variable SLOPEGAN_TEST_NONE is "
                  "not set"});
  EXPECT_THAT(override_errors({"data.path=${SLOPEGAN_TEST_NONE}"}).front(),
              HasSubstr("data.path = ${SLOPEGAN_TEST_NONE}: the environment variable SLOPEGAN_TEST_NONE is not set"));
}

TEST_F(LoadConfig, ReadsAStoredConfigurationFromVersion09AsThatVersionDid) {
  EXPECT_FALSE(load("seed: 1").config.data.as_in_0_9)
      << "a user's file without the new keys is not treated as a file from version 0.9";
  const Config old = parse_config("data: {path: $SLOPEGAN_TEST_NONE/x, kind: image_folder}\n", "manifest");
  EXPECT_TRUE(old.data.as_in_0_9);
  EXPECT_EQ(old.data.path, "$SLOPEGAN_TEST_NONE/x") << "version 0.9 did not expand variables";
  EXPECT_FALSE(parse_config(to_yaml(Config{}), "manifest").data.as_in_0_9);
  EXPECT_FALSE(parse_config("data: {labels: none}", "manifest").data.as_in_0_9);
  const std::string text = to_yaml(old);
  EXPECT_THAT(text, ::testing::Not(HasSubstr("background")));
  EXPECT_TRUE(parse_config(text, "manifest").data.as_in_0_9);
  EXPECT_EQ(value_text(old, "data.fit"), "as in 0.9");
  EXPECT_THAT(differences(old, parse_config(text, "manifest")), IsEmpty());
}

TEST_F(LoadConfig, NamesAnOverrideThatIsNotYaml) {
  EXPECT_EQ(override_errors({"sweep.seeds=[0,"}),
            Lines{"command line: 'sweep.seeds=[0,': not valid YAML: end of sequence flow not found"});
  EXPECT_THAT(override_errors({"sweep.seed=[0,"}), ::testing::SizeIs(2)) << "the unknown key is named as well";
}

}  // namespace
}  // namespace slopegan
