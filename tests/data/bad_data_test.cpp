#include "data/bad_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/enums.h"
#include "data/dataset.h"
#include "expect_error.h"
#include "ordinary_permissions.h"
#include "slow_check.h"
#include "support/errors.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

DatasetKind kind_named(const std::string& name) {
  for (const auto kind : enum_values<DatasetKind>) {
    if (name_of(kind) == name) return kind;
  }
  throw std::logic_error("unknown kind " + name);
}

TEST(BadDataSlowCheck, EveryBadFileCausesADataErrorThatNamesIt) {
  const CacheDirectory cache;
  const auto all = bad_data_sets();
  EXPECT_GE(all.size(), 120u);
  for (const auto& bad : all) {
    SCOPED_TRACE(bad.what);
    const TemporaryDirectory directory;
    bad.write(directory.path());
    DataConfig config;
    config.kind = kind_named(bad.kind);
    config.path = (directory / bad.path).string();
    const OrdinaryPermissions permissions;
    if (bad.is_good_for_root && !permissions.apply()) continue;
    const auto message = message_of<DataError>([&] { load_dataset(config, Split::train); });
    EXPECT_THAT(message, ::testing::HasSubstr(bad.file));
    EXPECT_EQ(printable_lines(message), message);
  }
  testing::report_check(format_text("{} bad data sets loaded in the test process", all.size()),
                        ::testing::Test::HasFailure() ? "FAILED" : "each causes a data error that names the file");
}

TEST(BadData, UnusableLabelsDoNotPreventLoadingTheImages) {
  for (const auto& bad : data_sets_with_bad_labels()) {
    SCOPED_TRACE(bad.what);
    const TemporaryDirectory directory;
    bad.write(directory.path());
    DataConfig config;
    config.kind = kind_named(bad.kind);
    config.path = (directory / bad.path).string();
    const auto dataset = load_dataset(config, Split::train);
    EXPECT_EQ(dataset->size(), 12);
    EXPECT_FALSE(dataset->has_labels());
    const auto said = join(dataset->warnings, "\n") + join(dataset->notes, "\n");
    EXPECT_THAT(said, ::testing::HasSubstr("label"));
    EXPECT_EQ(printable_lines(said), said);
    config.labels = LabelUse::none;
    EXPECT_THAT(join(load_dataset(config, Split::train)->warnings, "\n"),
                ::testing::Not(::testing::HasSubstr("label")));
  }
}

TEST(BadData, TheGoodIdxDataSetLoads) {
  const TemporaryDirectory directory;
  write_good_idx(directory.path());
  DataConfig config;
  config.path = directory.path().string();
  EXPECT_EQ(load_dataset(config, Split::train)->size(), 12);
}

}  // namespace
}  // namespace slopegan
