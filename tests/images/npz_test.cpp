#include "images/npz.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>
#include <zip.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/file_writers.h"
#include "expect_error.h"
#include "file_size_limit.h"
#include "images/npy.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// --- Headers ---------------------------------------------------------------------------------------------------------

std::string refusal(const std::string& bytes) {
  return message_of<std::invalid_argument>([&] { parse_npy_header(bytes); });
}

TEST(NpyHeader, IsParsedIntoTypeShapeAndSize) {
  const auto header = parse_npy_header(npy("|u1", "(60, 28, 28, 3)", "values"));
  EXPECT_EQ(header.type, "|u1");
  EXPECT_THAT(header.shape, ElementsAre(60, 28, 28, 3));
  EXPECT_EQ(header.size % 64, 0u);
  EXPECT_EQ(npy("|u1", "(60, 28, 28, 3)", "values").substr(header.size), "values");
  EXPECT_FALSE(header.fortran_order);
  EXPECT_TRUE(parse_npy_header(npy("<i8", "(5, 2)", "", "True")).fortran_order);
  EXPECT_FALSE(parse_npy_header(npy("<i8", "(5,)", "", "True")).fortran_order);  // one dimension has only one order
  EXPECT_THAT(parse_npy_header(npy("<i8", "()", "")).shape, IsEmpty());
}

TEST(NpyHeader, IsParsedInLaterVersions) {
  const std::string text = "{'shape': (2, 3), 'fortran_order': False, 'descr': '<u2'}\n";
  for (const char version : {'\2', '\3'}) {
    std::string bytes = std::string("\x93NUMPY") + version + '\0';
    bytes += static_cast<char>(text.size());
    bytes += std::string(3, '\0') + text;
    EXPECT_THAT(parse_npy_header(bytes).shape, ElementsAre(2, 3));
  }
}

TEST(NpyHeader, ParserErrorsDescribeTheDefect) {
  EXPECT_THAT(refusal("PK\3\4 and more bytes"), HasSubstr("is not a NumPy array"));
  EXPECT_THAT(refusal(""), HasSubstr("is not a NumPy array"));
  std::string records = npy("|u1", "(4,)", "");
  records.replace(records.find("'|u1'"), 5, "[('a'");
  EXPECT_THAT(refusal(records), HasSubstr("contains records"));
  std::string later = npy("|u1", "(4,)", "");
  later[6] = 9;
  EXPECT_THAT(refusal(later), HasSubstr("version 9"));
  std::string long_one = npy("|u1", "(4,)", "");
  long_one[9] = '\x7f';
  EXPECT_THAT(refusal(long_one), HasSubstr("a header of"));
  EXPECT_THAT(refusal(npy("|u1", "(4,)", "").substr(0, 40)), HasSubstr("is truncated within its header"));
}

TEST(NpyHeader, ParserRejectsMalformedHeaders) {
  for (const char* shape : {"(4", "4)", "(-4,)", "(4;)", "(1e9,)", "(99999999999999999999,)", "(4 4)", "[4]", "(,)",
                            "(1,1,1,1,1,1,1,1,1)", "(4,), 'shape': (5,)", "(4,), 'more': 'x'", "(4,)} {"}) {
    EXPECT_THAT(refusal(npy("|u1", shape, "")), HasSubstr("damaged header")) << shape;
  }
  EXPECT_THAT(refusal(npy("|u1", "(4,)", "", "Maybe")), HasSubstr("damaged header"));
  EXPECT_THAT(refusal(npy(std::string(40, 'x'), "(4,)", "")), HasSubstr("damaged header"));
  const std::string whole = npy("|u1", "(4,)", "");
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(refusal(whole.substr(0, size)), "");
}

// --- Archives --------------------------------------------------------------------------------------------------------

std::string entry_of(const std::filesystem::path& file, const char* name) {
  int code = 0;
  const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(zip_open(file.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code),
                                                         zip_discard);
  if (archive == nullptr || zip_get_num_entries(archive.get(), 0) != 1) return "not an archive with one entry";
  zip_stat_t stat;
  zip_stat(archive.get(), name, 0, &stat);
  std::string bytes(stat.size, '\0');
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> entry(zip_fopen(archive.get(), name, 0), zip_fclose);
  if (entry == nullptr || zip_fread(entry.get(), bytes.data(), stat.size) != static_cast<zip_int64_t>(stat.size)) {
    return "no such entry";
  }
  return bytes;
}

/// The numbers 0, 1, 2, ... modulo 256, four per image. Each call returns the numbers of the next 3 images, or of fewer
/// images at the end.
class Numbers {
 public:
  explicit Numbers(std::int64_t images) : left_(images) {}
  std::span<const std::byte> operator()() {
    const auto count = std::min<std::int64_t>(3, left_);
    left_ -= count;
    part_.clear();
    for (std::int64_t i = 0; i < 4 * count; ++i) part_.push_back(static_cast<std::byte>(next_++ & 0xff));
    return part_;
  }

 private:
  std::int64_t left_, next_ = 0;
  std::vector<std::byte> part_;
};

/// The values of an array as bytes.
std::string bytes_of(const NpyArray& array) {
  return {reinterpret_cast<const char*>(array.values.memory.get()), array.values.size};
}

TEST(NpzFile, ReadsNumbersAndTextInEitherByteOrder) {
  struct Case {
    const char* type;
    NpyKind kind;
    std::string stored, expected;
  };
  const TemporaryDirectory directory;
  for (const auto& [type, kind, stored, expected] :
       std::vector<Case>{{"|b1", NpyKind::boolean, "\1", "\1"},
                         {"|i1", NpyKind::signed_integer, "a", "a"},
                         {"<u2", NpyKind::unsigned_integer, "ab", "ab"},
                         {">u2", NpyKind::unsigned_integer, "ab", "ba"},
                         {">i8", NpyKind::signed_integer, "abcdefgh", "hgfedcba"},
                         {"<f2", NpyKind::real, "ab", "ab"},
                         {">f4", NpyKind::real, "abcd", "dcba"},
                         {">f8", NpyKind::real, "abcdefgh", "hgfedcba"},
                         {"|S3", NpyKind::bytes, "abc", "abc"},
                         {">U2", NpyKind::unicode, "abcdefgh", "dcbahgfe"}}) {
    write_zip(directory / "a.npz", {{"x.npy", npy(type, "(1,)", stored)}});
    const auto array = NpzFile(directory / "a.npz").read("x");
    EXPECT_EQ(array.kind, kind) << type;
    EXPECT_EQ(array.item_size, expected.size()) << type;
    EXPECT_EQ(bytes_of(array), expected) << type;
  }
}

TEST(NpzFile, RejectsUnsupportedTypes) {
  const TemporaryDirectory directory;
  const auto refused = [&](const std::string& type) {
    write_zip(directory / "a.npz", {{"x.npy", npy(type, "(1,)", std::string(16, 'x'))}});
    return message_of<DataError>([&] { NpzFile(directory / "a.npz").read("x"); });
  };
  EXPECT_THAT(refused("|O"), HasSubstr("Python objects"));
  for (const char* type : {"<f16", "<c8", "<i3", "<U0", "<U257", "|S2000", "|S", "i4", "<M8[ns]", "<V16", "<f4x", ""}) {
    EXPECT_NE(refused(type), "") << type;
  }
}

TEST(WriteNpz, StoresHeaderAndBytesInOrder) {
  const TemporaryDirectory directory;
  write_npz(directory / "a.npz", "arr_0", {100, 2, 2, 1}, Numbers(100));
  const auto bytes = entry_of(directory / "a.npz", "arr_0.npy");
  const auto header = npy_header({100, 2, 2, 1});
  ASSERT_EQ(bytes.size(), header.size() + 400);
  EXPECT_TRUE(bytes.starts_with(header));
  for (std::size_t i = 0; i < 400; ++i) ASSERT_EQ(static_cast<unsigned char>(bytes[header.size() + i]), i % 256);
}

TEST(WriteNpz, WritesEqualFilesForEqualArrays) {
  const TemporaryDirectory directory;
  write_npz(directory / "a.npz", "arr_0", {7, 2, 2, 1}, Numbers(7));
  write_npz(directory / "b.npz", "arr_0", {7, 2, 2, 1}, Numbers(7));
  std::ifstream a(directory / "a.npz", std::ios::binary), b(directory / "b.npz", std::ios::binary);
  EXPECT_TRUE(std::equal(std::istreambuf_iterator<char>(a), {}, std::istreambuf_iterator<char>(b)));
}

TEST(NpyHeader, IsWrittenInVersion1AndPaddedToAMultipleOf64Bytes) {
  const auto header = npy_header({1'000'000, 256, 256, 3});
  EXPECT_TRUE(header.starts_with(std::string("\x93NUMPY\x01\x00", 8)));
  EXPECT_EQ(header.size() % 64, 0u);
  EXPECT_EQ(header.back(), '\n');
  EXPECT_EQ(static_cast<unsigned char>(header[8]) + 256 * static_cast<unsigned char>(header[9]),
            static_cast<int>(header.size()) - 10);
  EXPECT_THAT(header, HasSubstr("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 256, 256, 3, ), }"));
  for (std::int64_t count = 1; count < 1'000'000'000'000; count *= 10) EXPECT_EQ(npy_header({count}).size() % 64, 0u);
}

TEST(WriteNpz, LeavesNoFileIfTheCallbackFails) {
  const TemporaryDirectory directory;
  const auto fail = []() -> std::span<const std::byte> { throw DataError("no images"); };
  EXPECT_EQ(message_of<DataError>([&] { write_npz(directory / "a.npz", "arr_0", {9, 2, 2, 1}, fail); }), "no images");
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

TEST(WriteNpz, ReportsTheReasonAndLeavesNoFileIfTheDiskIsFull) {
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
