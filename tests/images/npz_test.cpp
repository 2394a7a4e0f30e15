#include "images/npz.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <zip.h>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "file_size_limit.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

std::string entry_of(const std::filesystem::path& file, const char* name) {
  int code = 0;
  const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(zip_open(file.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code),
                                                         zip_discard);
  if (archive == nullptr || zip_get_num_entries(archive.get(), 0) != 1) return "no archive of one entry";
  zip_stat_t stat;
  zip_stat(archive.get(), name, 0, &stat);
  std::string bytes(stat.size, '\0');
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> entry(zip_fopen(archive.get(), name, 0), zip_fclose);
  if (entry == nullptr || zip_fread(entry.get(), bytes.data(), stat.size) != static_cast<zip_int64_t>(stat.size)) {
    return "no such entry";
  }
  return bytes;
}

/// Parts of 3 images each of the numbers 0, 1, 2, … (modulo 256), the last one shorter.
class Numbers {
 public:
  explicit Numbers(std::int64_t images) : left_(images) {}
  at::Tensor operator()() {
    const auto count = std::min<std::int64_t>(3, left_);
    left_ -= count;
    const auto part = at::arange(at_, at_ + count * 4).remainder(256).to(at::kByte).view({count, 2, 2, 1});
    at_ += count * 4;
    return part;
  }

 private:
  std::int64_t left_, at_ = 0;
};

TEST(WriteNpz, StoresHeaderAndBytesInOrder) {
  const TemporaryDirectory directory;
  write_npz(directory / "a.npz", "arr_0", {100, 2, 2, 1}, Numbers(100));
  const auto bytes = entry_of(directory / "a.npz", "arr_0.npy");
  const auto header = npy_header({100, 2, 2, 1});
  ASSERT_EQ(bytes.size(), header.size() + 400);
  EXPECT_TRUE(bytes.starts_with(header));
  for (std::size_t i = 0; i < 400; ++i) ASSERT_EQ(static_cast<unsigned char>(bytes[header.size() + i]), i % 256);
}

TEST(WriteNpz, GivesTheSameFileForTheSameArray) {
  const TemporaryDirectory directory;
  write_npz(directory / "a.npz", "arr_0", {7, 2, 2, 1}, Numbers(7));
  write_npz(directory / "b.npz", "arr_0", {7, 2, 2, 1}, Numbers(7));
  std::ifstream a(directory / "a.npz", std::ios::binary), b(directory / "b.npz", std::ios::binary);
  EXPECT_TRUE(std::equal(std::istreambuf_iterator<char>(a), {}, std::istreambuf_iterator<char>(b)));
}

TEST(NpyHeader, IsAsNumpyWritesIt) {
  const auto header = npy_header({1'000'000, 256, 256, 3});
  EXPECT_TRUE(header.starts_with(std::string("\x93NUMPY\x01\x00", 8)));
  EXPECT_EQ(header.size() % 64, 0u);
  EXPECT_EQ(header.back(), '\n');
  EXPECT_EQ(static_cast<unsigned char>(header[8]) + 256 * static_cast<unsigned char>(header[9]),
            static_cast<int>(header.size()) - 10);
  EXPECT_THAT(header, HasSubstr("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 256, 256, 3, ), }"));
  for (std::int64_t count = 1; count < 1'000'000'000'000; count *= 10) EXPECT_EQ(npy_header({count}).size() % 64, 0u);
}

TEST(WriteNpz, LeavesNothingWhereTheImagesFail) {
  const TemporaryDirectory directory;
  const auto fail = []() -> at::Tensor { throw DataError("no images today"); };
  EXPECT_EQ(message_of<DataError>([&] { write_npz(directory / "a.npz", "arr_0", {9, 2, 2, 1}, fail); }),
            "no images today");
  EXPECT_THROW(write_npz(directory / "a.npz", "arr_0", {9, 2, 2, 1}, Numbers(6)), std::logic_error);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(WriteNpz, NamesTheFileThatCannotBeWritten) {
  const TemporaryDirectory directory;
  const auto message =
      message_of<IoError>([&] { write_npz(directory / "missing/a.npz", "arr_0", {1, 2, 2, 1}, Numbers(1)); });
  EXPECT_THAT(message, HasSubstr("missing/a.npz"));
  EXPECT_THAT(message, HasSubstr("No such file"));
}

TEST(WriteNpz, SaysWhyWhereTheDiskIsFullAndLeavesNothing) {
  const TemporaryDirectory directory;
  std::string message;
  {
    const FileSizeLimit limit(std::size_t{1} << 16);
    message =
        message_of<IoError>([&] { write_npz(directory / "a.npz", "arr_0", {1 << 18, 2, 2, 1}, Numbers(1 << 18)); });
  }
  EXPECT_THAT(message, HasSubstr("a.npz: File too large"));
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace slopegan
