#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/file_writers.h"
#include "data/idx_file.h"
#include "expect_error.h"
#include "ordinary_permissions.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int image_dimensions = 3, label_dimensions = 1;

torch::Tensor read_idx(const std::filesystem::path& file, int dimensions) {
  IdxFile input(file, dimensions);
  return byte_tensor(input.read_data(), input.shape());
}

std::string images_error(const std::filesystem::path& file) {
  const std::string message = message_of<DataError>([&] { read_idx(file, image_dimensions); });
  EXPECT_THAT(message, HasSubstr(file.filename().string()));
  return message;
}

class IdxFileTest : public ::testing::Test {
 protected:
  std::filesystem::path plain(const std::string& bytes) {
    write_bytes(directory_ / "images", bytes);
    return directory_ / "images";
  }
  std::filesystem::path gzipped(const std::string& bytes) {
    write_gz(directory_ / "images.gz", bytes);
    return directory_ / "images.gz";
  }
  TemporaryDirectory directory_;
  const std::string good_ = idx_header({2, 3, 4}) + ramp(24);
};

void expect_ramp(const torch::Tensor& images) {
  ASSERT_EQ(images.sizes(), (torch::IntArrayRef{2, 3, 4}));
  ASSERT_EQ(images.scalar_type(), torch::kByte);
  EXPECT_TRUE(torch::equal(images.flatten(), torch::arange(24).to(torch::kByte)));
}

TEST_F(IdxFileTest, ReadsPlainAndGzippedFilesAlike) {
  expect_ramp(read_idx(plain(good_), image_dimensions));
  expect_ramp(read_idx(gzipped(good_), image_dimensions));
}

TEST_F(IdxFileTest, DetectsGzipByContentNotByName) {
  write_gz(directory_ / "no_ending", good_);
  write_bytes(directory_ / "not_zipped.gz", good_);
  expect_ramp(read_idx(directory_ / "no_ending", image_dimensions));
  expect_ramp(read_idx(directory_ / "not_zipped.gz", image_dimensions));
}

TEST_F(IdxFileTest, ReadsMoreThanOneBlock) {
  const std::uint32_t count = 70, side = 1024;  // 70 MiB, read in blocks of 64 MiB
  std::string bytes = idx_header({count, side, side});
  for (std::uint32_t i = 0; i < count; ++i) bytes.append(side * side, static_cast<char>(i));
  const auto images = read_idx(plain(bytes), image_dimensions);
  const auto expected = torch::arange(count).to(torch::kByte).view({-1, 1, 1});
  EXPECT_TRUE(torch::equal(images, expected.expand_as(images)));
}

TEST_F(IdxFileTest, RejectsOtherFormatsTypesAndDimensions) {
  EXPECT_THAT(images_error(plain("PNG and so on")),
              AllOf(HasSubstr("not an IDX file"), HasSubstr("50 4e 47 20"), HasSubstr("00 00 08 03")));
  EXPECT_THAT(images_error(plain(idx_header({2, 3, 4}, 0x0d) + ramp(96))), HasSubstr("type 0x0d"));
  EXPECT_THAT(images_error(plain(idx_header({4}) + ramp(4))), HasSubstr("1 dimension, but images have 3"));
  EXPECT_THAT(images_error(plain(idx_header({1, 3, 2, 2}) + ramp(12))), HasSubstr("4 dimensions"));
  const auto labels_message = message_of<DataError>([&] { read_idx(plain(good_), label_dimensions); });
  EXPECT_THAT(labels_message, HasSubstr("3 dimensions, but labels have 1"));
}

TEST_F(IdxFileTest, RejectsTruncatedHeaders) {
  EXPECT_THAT(images_error(plain("")), HasSubstr("too short"));
  EXPECT_THAT(images_error(plain(good_.substr(0, 3))), HasSubstr("too short"));
  EXPECT_THAT(images_error(plain(good_.substr(0, 15))), HasSubstr("too short"));
}

TEST_F(IdxFileTest, RejectsEmptyAndHugeShapes) {
  EXPECT_THAT(images_error(plain(idx_header({0, 28, 28}))), HasSubstr("at least one"));
  EXPECT_THAT(images_error(plain(idx_header({1, 0, 28}))), HasSubstr("[1, 4096]"));
  EXPECT_THAT(images_error(plain(idx_header({1, 28, 4097}))), HasSubstr("[1, 4096]"));
  EXPECT_THAT(images_error(plain(idx_header({0xffffffff, 28, 28}))), HasSubstr("8 GiB"));
}

TEST_F(IdxFileTest, NamesTheFileWhenItIsTruncated) {
  EXPECT_THAT(images_error(plain(good_.substr(0, good_.size() - 1))),
              AllOf(HasSubstr("truncated"), HasSubstr("24 bytes"), HasSubstr("there are 23")));
  EXPECT_THAT(images_error(gzipped(good_.substr(0, good_.size() - 1))), HasSubstr("there are 23"));
}

TEST_F(IdxFileTest, NamesTheFileWhenItIsLongerThanItsHeaderSays) {
  EXPECT_THAT(images_error(plain(good_ + "x")), HasSubstr("longer than its header says"));
  EXPECT_THAT(images_error(gzipped(good_ + std::string(64 << 20, '\0'))), HasSubstr("longer than its header says"));
}

TEST_F(IdxFileTest, RejectsGzipStreamsTruncatedAnywhere) {
  const auto file = gzipped(good_);
  const std::string whole = read_bytes(file);
  for (std::size_t size = 10; size < whole.size(); ++size) {
    write_bytes(file, whole.substr(0, size));
    EXPECT_THAT(images_error(file), HasSubstr("its gzip stream ends early")) << size;
  }
}

TEST_F(IdxFileTest, RejectsAWrongChecksumAndADamagedStream) {
  const auto file = gzipped(good_);
  const std::string whole = read_bytes(file);
  std::string wrong_checksum = whole;
  wrong_checksum[whole.size() - 8] ^= 1;
  write_bytes(file, wrong_checksum);
  EXPECT_THAT(images_error(file), AllOf(HasSubstr("damaged"), HasSubstr("data check")));
  std::string damaged = whole;
  damaged[10] = static_cast<char>(0xff);  // the first byte of the compressed data: a reserved block type
  write_bytes(file, damaged);
  EXPECT_THAT(images_error(file), HasSubstr("damaged"));
}

TEST_F(IdxFileTest, RejectsAnImplausibleSizeWithoutAllocatingMemory) {
  const auto file = gzipped(idx_header({7 * 64, 4096, 4096}) + ramp(1000));
  long pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  const rlimit tight{static_cast<rlim_t>(pages * getpagesize()) + (rlim_t{512} << 20), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &tight), 0);
  const std::string message = images_error(file);
  setrlimit(RLIMIT_AS, &before);
  EXPECT_THAT(message, HasSubstr("more than 100 times the"));
}

TEST_F(IdxFileTest, RejectsAnythingButRegularFiles) {
  EXPECT_THAT(message_of<DataError>([&] { read_idx(directory_.path(), image_dimensions); }),
              HasSubstr("is a directory"));
  EXPECT_THAT(images_error(directory_ / "missing"), HasSubstr("there is no file"));
  const auto pipe = directory_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(images_error(pipe), HasSubstr("pipe"));
  std::filesystem::create_symlink("loop", directory_ / "loop");
  EXPECT_THAT(images_error(directory_ / "loop"), HasSubstr("cannot be read"));
}

TEST_F(IdxFileTest, ReportsMissingPermission) {
  const auto file = plain(good_);
  std::filesystem::permissions(file, std::filesystem::perms::none);
  const OrdinaryPermissions permissions;
  if (!permissions.apply()) GTEST_SKIP() << "capabilities cannot be removed";
  EXPECT_THAT(images_error(file), HasSubstr("Permission denied"));
}

TEST_F(IdxFileTest, EscapesControlCharactersInFileNames) {
  const auto message = message_of<DataError>([&] { read_idx(directory_ / "a\x1b[31m", image_dimensions); });
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace slopegan
