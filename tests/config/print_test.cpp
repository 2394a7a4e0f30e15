#include "config/print.h"

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/fields.h"
#include "config/load_fixture.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// Draws random values that a rule allows.
class RandomValues {
 public:
  explicit RandomValues(unsigned seed) : random_(seed) {}

  void draw(std::int64_t& value, const Integers& rule) {
    const std::int64_t span = rule.max - rule.min;
    value = rule.min + static_cast<std::int64_t>(random_() % (static_cast<std::uint64_t>(span) + (span > 0 ? 0 : 1)));
  }
  void draw(std::int64_t& value, const OneOf& rule) { value = rule.values.at(random_() % rule.values.size()); }
  void draw(double& value, const Reals& rule) {
    const double t = static_cast<double>(random_() % 9999 + 1) / 10000.0;
    value = rule.min + (rule.max - rule.min) * t * t;
  }
  void draw(bool& value, Flag) { value = random_() % 2 == 0; }
  void draw(std::string& value, TextRule rule) {
    const std::vector<std::string> names = {"a", "0", "1e3", "-", "null", "True", "no", "x.y_z-1", ".5", "0x1"};
    const std::vector<std::string> paths = {"/data", "a b", "#a",    "a #b", "a: b",    "\"q\"", "\\n", "./~", "[a]",
                                            "ü/ß",   "- a", "it's",  "true", "&a",      "*a",    "!a",  "%a",  "@a",
                                            "",      "a,b", "C:\\x", "null", "$HOME/x", "${",    "a$$b"};
    const std::vector<std::string> colours = {"white", "black", "none", "#00fF7a"};
    const auto& pool = rule == TextRule::run_name ? names : rule == TextRule::colour ? colours : paths;
    do {
      value = pool.at(random_() % pool.size());
    } while (value.empty());
  }
  template <class Enum>
  void draw(Enum& value, Words<Enum>) {
    value = enum_values<Enum>[random_() % enum_values<Enum>.size()];
  }
  template <class Value, class Rule>
  void draw(std::vector<Value>& values, const ListOf<Rule>& rule) {
    values.assign(random_() % (std::min<std::size_t>(rule.max_size, 4) + 1), Value{});
    for (auto& value : values) draw(value, rule.each);
  }
  void draw(ExtractorList& extractors, const Extractors& rule) {
    extractors.choices.assign(random_() % rule.max_size + 1, {});
    for (auto& choice : extractors.choices) draw(choice, TextRule::path);
  }
  void draw(CrossConditions& cross, const Conditions&) {
    if (random_() % 2 == 0) return;
    cross.list = {{{"data.flip", "true"}, {"discriminator.augment", "[color, cutout]"}},
                  {},
                  {{"generator.negative_slope", "{from: 0.3, to: 0.1, over_images: 10, shape: linear}"}}};
  }
  void draw(NegativeSlope& slope, const Slopes& rule) {
    slope = NegativeSlope();
    if (random_() % 3 == 0) {
      visit_schedule(slope.schedule.emplace(), rule,
                     [&](std::string_view, auto& field, const auto& field_rule, bool) { draw(field, field_rule); });
      slope.schedule->shape = SlopeShape::cosine;
    } else {
      slope.values.assign(random_() % 2 == 0 ? 1 : 3, 0);
      for (double& value : slope.values) draw(value, rule.slope);
    }
  }

 private:
  std::mt19937_64 random_;
};

/// Random values for all keys, adjusted where keys constrain each other.
Config random_config(unsigned seed) {
  Config config;
  RandomValues values(seed);
  visit_fields(config,
               [&](std::string_view, auto& field, const auto& rule, std::string_view) { values.draw(field, rule); });
  config.data.resolution = 32;
  config.samples.rows = config.samples.rows % 32 + 1;
  config.samples.columns = config.samples.columns % 32 + 1;
  for (ActivationConfig* network :
       {static_cast<ActivationConfig*>(&config.generator), static_cast<ActivationConfig*>(&config.discriminator)}) {
    if (network->activation == ActivationKind::prelu) network->negative_slope = NegativeSlope(0.25);
  }
  return config;
}

class PrintConfig : public LoadFixture {};

TEST_F(PrintConfig, ReadsBackAsTheSameConfig) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    const Config config = random_config(seed);
    const std::string text = to_yaml(config);
    const Config again = load(text).config;
    EXPECT_THAT(differences(config, again), IsEmpty()) << text;
    EXPECT_EQ(again.data.path, config.data.path);
    EXPECT_EQ(again.optimizer.beta2, config.optimizer.beta2);
    EXPECT_EQ(again.generator.negative_slope, config.generator.negative_slope);
    EXPECT_EQ(again.sweep.negative_slope, config.sweep.negative_slope);
  }
}

TEST_F(PrintConfig, YamlWithHelpReadsBackAsTheSameConfig) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Config config = random_config(seed);
    EXPECT_THAT(differences(config, load(to_yaml_with_help(config)).config), IsEmpty());
  }
}

TEST_F(PrintConfig, TheDefaultsLoadWithoutWarnings) { EXPECT_THAT(load(to_yaml(Config{})).warnings, IsEmpty()); }

TEST_F(PrintConfig, EveryValueReadsBackAsAnOverride) {
  const Config config = random_config(5);
  std::vector<std::string> overrides;
  visit_fields(config, [&](std::string_view key, const auto&, const auto&, std::string_view) {
    overrides.push_back(std::string(key) + "=" + value_text(config, key));
  });
  EXPECT_THAT(differences(load("", overrides).config, config), IsEmpty());
}

TEST(ToYaml, IsNestedAndReadable) {
  const std::string text = to_yaml(Config{});
  EXPECT_THAT(text, StartsWith("seed: 0\nrun:\n  name: fashion_mnist\n  output_dir: outputs\ndata:\n  kind: idx\n"));
  EXPECT_THAT(text, HasSubstr("\n  negative_slope: 0.2\n"));
  EXPECT_THAT(text, HasSubstr("\n  precision: auto\n"));
  EXPECT_THAT(text, HasSubstr("\n  negative_slope: [0, 0.01, 0.1, 0.2, 0.3]\n  apply_to: both\n"));
  EXPECT_THAT(text, Not(HasSubstr("#")));
}

TEST(ToYaml, EveryKeyIsPrecededByItsHelp) {
  const std::string text = to_yaml_with_help(Config{});
  EXPECT_THAT(text,
              HasSubstr("\n  # global batch size (all ranks together)\n  # allowed: 1 to 65536\n  batch_size: 32\n"));
  const Config config;
  visit_fields(config, [&](std::string_view key, const auto&, const auto& rule, std::string_view help) {
    EXPECT_THAT(text, HasSubstr("# " + std::string(help) + "\n")) << key;
    EXPECT_THAT(text, HasSubstr("# allowed: " + allowed(rule) + "\n")) << key;
    EXPECT_FALSE(allowed(rule).empty()) << key;
  });
}

TEST(ValueText, IsTheYamlForOneKey) {
  Config config;
  config.generator.negative_slope.schedule = SlopeSchedule{0.3, 0.01, 60000, SlopeShape::cosine};
  config.discriminator.negative_slope.values = {0.1, 0.2, 0.3};
  config.data.path = "a: \"b\"";
  EXPECT_EQ(value_text(config, "generator.negative_slope"), "{from: 0.3, to: 0.01, over_images: 60000, shape: cosine}");
  EXPECT_EQ(value_text(config, "discriminator.negative_slope"), "[0.1, 0.2, 0.3]");
  EXPECT_EQ(value_text(config, "data.path"), "\"a: \\\"b\\\"\"");
  EXPECT_EQ(value_text(config, "data.flip"), "false");
  EXPECT_THROW(value_text(config, "generator"), std::out_of_range);
}

TEST(Differences, ListsTheKeysThatDifferWithBothValues) {
  Config before;
  Config after;
  EXPECT_THAT(differences(before, after), IsEmpty());
  after.discriminator.negative_slope = NegativeSlope(0.3);
  after.sweep.seeds = {4};
  const auto found = differences(before, after);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].key, "discriminator.negative_slope");
  EXPECT_EQ(found[0].before, "0.2");
  EXPECT_EQ(found[0].after, "0.3");
  EXPECT_EQ(found[1].key, "sweep.seeds");
}

TEST(Fields, EveryKeyOccursOnceAndSectionsAreContiguous) {
  const Config config;
  std::set<std::string> keys;
  std::vector<std::string> sections;
  visit_fields(config, [&](std::string_view key, const auto&, const auto&, std::string_view help) {
    EXPECT_TRUE(keys.emplace(key).second) << key;
    EXPECT_FALSE(help.empty()) << key;
    const std::string section(key.substr(0, key.find('.')));
    if (sections.empty() || sections.back() != section) sections.push_back(section);
  });
  EXPECT_EQ(std::set<std::string>(sections.begin(), sections.end()).size(), sections.size());
}

}  // namespace
}  // namespace slopegan
