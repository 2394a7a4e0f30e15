#include "data/bad_idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "expect_error.h"
#include "slow_check.h"
#include "support/errors.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

TEST(BadIdxSlowCheck, EveryBadFileIsADataErrorThatNamesIt) {
  const auto all = bad_idx_data_sets();
  EXPECT_GE(all.size(), 60u);
  for (const auto& bad : all) {
    SCOPED_TRACE(bad.what);
    const TemporaryDirectory directory;
    write_good_idx(directory.path());
    bad.write(directory.path());
    DataConfig config;
    config.path = directory.path().string();
    const auto message = message_of<DataError>([&] { load_dataset(config, Split::train); });
    EXPECT_THAT(message, ::testing::HasSubstr((directory / bad.file).string()));
    EXPECT_EQ(printable(message, message.size()), message);
  }
  testing::report_check(format_text("{} bad IDX and gzip files, in process", all.size()),
                        ::testing::Test::HasFailure() ? "FAILED" : "each a data error that names the file");
}

TEST(BadIdx, TheGoodDataSetThatTheBadOnesDifferFromLoads) {
  const TemporaryDirectory directory;
  write_good_idx(directory.path());
  DataConfig config;
  config.path = directory.path().string();
  EXPECT_EQ(load_dataset(config, Split::train)->size(), 12);
}

}  // namespace
}  // namespace slopegan
