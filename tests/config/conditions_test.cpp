#include "config/conditions.h"

#include <gmock/gmock.h>

#include "config/print.h"
#include "load_fixture.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CrossedKeys : public LoadFixture {
 protected:
  CrossConditions cross(const std::string& yaml) const { return load("", {"sweep.cross=" + yaml}).config.sweep.cross; }
};

TEST_F(CrossedKeys, AMapMeansAllCombinationsAndTheLastKeyVariesFastest) {
  const auto read = cross("{optimizer.generator_lr: [2e-4, 4e-4], generator.norm: [batch, none]}");
  EXPECT_EQ(read, (CrossConditions{{{{"optimizer.generator_lr", "2e-04"}, {"generator.norm", "batch"}},
                                    {{"optimizer.generator_lr", "2e-04"}, {"generator.norm", "none"}},
                                    {{"optimizer.generator_lr", "4e-04"}, {"generator.norm", "batch"}},
                                    {{"optimizer.generator_lr", "4e-04"}, {"generator.norm", "none"}}}}));
  EXPECT_THAT(crossed_keys(read), ElementsAre("generator.norm", "optimizer.generator_lr"));
}

TEST_F(CrossedKeys, AListContainsTheConditionsThemselves) {
  const auto read = cross("[{}, {generator.norm: none, discriminator.norm: spectral}, {loss.r1: 1}]");
  ASSERT_EQ(read.list.size(), 3u);
  EXPECT_THAT(read.list[0], IsEmpty());
  EXPECT_EQ(settings_text(read.list[1]), "generator.norm: none, discriminator.norm: spectral");
  EXPECT_THAT(crossed_keys(read), ElementsAre("generator.norm", "discriminator.norm", "loss.r1"));
}

TEST_F(CrossedKeys, AnEmptyMapOrListMeansNoConditions) {
  EXPECT_THAT(cross("{}").list, IsEmpty());
  EXPECT_THAT(cross("[]").list, IsEmpty());
}

TEST_F(CrossedKeys, AConditionCanSetAKeyToAListOrAMap) {
  const auto read = cross(
      "[{discriminator.augment: [color, cutout]}, {data.flip: true}, "
      "{generator.negative_slope: {from: 0.3, to: 0.1, over_images: 10}}]");
  const Config config = load("").config;
  EXPECT_EQ(value_text(with_settings(config, read.list.at(0)), "discriminator.augment"), "[color, cutout]");
  EXPECT_TRUE(with_settings(config, read.list.at(1)).data.flip);
  EXPECT_TRUE(with_settings(config, read.list.at(2)).generator.negative_slope.schedule);
}

TEST_F(CrossedKeys, ASettingChangesOnlyItsKey) {
  const Config before = load("").config;
  const auto changed = differences(before, with_settings(before, cross("{loss.kind: [hinge]}").list.front()));
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0].key + changed[0].after, "loss.kindhinge");
}

}  // namespace
}  // namespace slopegan
