#include "run/safetensors.h"

#include <cstring>
#include <fstream>
#include <limits>
#include <sys/stat.h>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "file_size_limit.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/random.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path golden = fs::path(SLOPEGAN_TEST_DATA) / "safetensors.safetensors";

/// The tensors that scripts/golden_safetensors.py writes.
NamedTensors golden_tensors() {
  const auto integers = at::arange(6, torch::kLong).view({2, 3});
  const auto floats = integers.to(torch::kDouble) - 1.5;
  return {{"bool", integers.remainder(2).to(torch::kBool)},
          {"uint8", integers.to(torch::kByte)},
          {"int8", integers.to(torch::kChar)},
          {"int16", integers.to(torch::kShort)},
          {"int32", integers.to(torch::kInt)},
          {"int64", integers},
          {"float16", floats.to(torch::kHalf)},
          {"bfloat16", floats.to(torch::kBFloat16)},
          {"float32", floats.to(torch::kFloat)},
          {"float64", floats},
          {"scalar", at::scalar_tensor(0.25, torch::kFloat)},
          {"empty", at::empty({0, 4}, torch::kFloat)}};
}

/// Expects equal shapes, dtypes and bits. Unlike in torch::equal, NaNs with the same bits are equal.
void expect_same_bits(const torch::Tensor& found, const torch::Tensor& expected) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  ASSERT_EQ(found.scalar_type(), expected.scalar_type());
  ASSERT_TRUE(found.is_contiguous());
  const auto row_major = expected.detach().contiguous();
  if (found.numel() == 0) return;
  EXPECT_EQ(std::memcmp(found.data_ptr(), row_major.data_ptr(), found.nbytes()), 0);
}

void expect_same(const NamedTensors& found, const NamedTensors& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(found.contains(name));
    expect_same_bits(found.at(name), tensor);
  }
}

NamedTensors round_trip(const NamedTensors& tensors) {
  const TemporaryDirectory directory;
  write_safetensors(directory / "file", tensors);
  return read_safetensors(directory / "file").tensors;
}

TEST(Safetensors, ReadsAFileFromTheReferenceLibrary) {
  const Safetensors content = read_safetensors(golden);
  expect_same(content.tensors, golden_tensors());
  EXPECT_EQ(content.metadata, (SafetensorsMetadata{{"made_by", "slopegan"}}));
}

TEST(Safetensors, WritesTheSameBytesAsTheReferenceLibrary) {
  const TemporaryDirectory directory;
  write_safetensors(directory / "file", golden_tensors(), {{"made_by", "slopegan"}});
  EXPECT_EQ(read_file(directory / "file", 1 << 20), read_file(golden, 1 << 20));
}

TEST(Safetensors, RoundTripsEveryBitPattern) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const auto special = torch::tensor({nan, -nan, infinity, -infinity, -0.0f, 1e-45f});
  auto every_byte = at::arange(65536, torch::kInt).to(torch::kShort);
  NamedTensors tensors = {{"special", special}, {"int16", every_byte}};
  tensors["half"] = every_byte.view(torch::kHalf);
  tensors["bfloat16"] = every_byte.view(torch::kBFloat16);
  tensors["extremes"] =
      torch::tensor({std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()});
  expect_same(round_trip(tensors), tensors);
}

TEST(Safetensors, WritesRowMajorDataForAnyMemoryFormat) {
  const auto base = at::arange(2 * 3 * 4 * 5, torch::kFloat).view({2, 3, 4, 5});
  const NamedTensors tensors = {{"channels_last", base.contiguous(torch::MemoryFormat::ChannelsLast)},
                                {"transposed", base.transpose(0, 3)},
                                {"strided", base.slice(3, 0, 5, 2)},
                                {"expanded", at::ones({1, 3}).expand({4, 3})},
                                {"with_gradient", at::ones({2}).requires_grad_()}};
  const NamedTensors found = round_trip(tensors);
  expect_same(found, tensors);
  EXPECT_TRUE(torch::equal(found.at("channels_last"), base));
  EXPECT_FALSE(found.at("with_gradient").requires_grad());
}

TEST(Safetensors, StoresAnEmptySetOfTensors) {
  const TemporaryDirectory directory;
  const FileDigest digest = write_safetensors(directory / "file", {});
  EXPECT_EQ(digest.size, 16u);
  EXPECT_TRUE(read_safetensors(directory / "file").tensors.empty());
}

TEST(Safetensors, KeepsNamesAndMetadataWithSpecialCharacters) {
  const TemporaryDirectory directory;
  const NamedTensors tensors = {{"a \"quoted\\name/ä.weight", at::ones({1})}, {std::string(512, 'n'), at::zeros({1})}};
  const SafetensorsMetadata metadata = {{"", "line\nbreak"}, {"key", ""}};
  write_safetensors(directory / "file", tensors, metadata);
  const Safetensors content = read_safetensors(directory / "file");
  expect_same(content.tensors, tensors);
  EXPECT_EQ(content.metadata, metadata);
}

TEST(Safetensors, ReturnsTheDigestOfTheFile) {
  const TemporaryDirectory directory;
  const auto file = directory / "file";
  const FileDigest digest = write_safetensors(file, golden_tensors());
  EXPECT_EQ(digest.size, fs::file_size(file));
  EXPECT_EQ(digest.sha256, sha256_file(file));
  EXPECT_EQ(write_safetensors(file, golden_tensors()), digest);
  NamedTensors other = golden_tensors();
  other["scalar"] = at::scalar_tensor(0.5, torch::kFloat);
  EXPECT_NE(write_safetensors(file, other), digest);
}

TEST(Safetensors, AlignsTheDataOfEveryTensor) {
  const TemporaryDirectory directory;
  write_safetensors(directory / "file", golden_tensors(), {{"odd", "x"}});
  const std::string bytes = read_file(directory / "file", 1 << 20);
  std::uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  const auto header = parse_safetensors_header(std::string_view(bytes).substr(8, length), bytes.size() - 8 - length);
  for (const auto& entry : header.tensors) EXPECT_EQ(entry.begin % c10::elementSize(entry.dtype), 0u) << entry.name;
}

TEST(Safetensors, RejectsTensorsThatCannotBeStored) {
  const TemporaryDirectory directory;
  const auto write = [&](const std::string& name, const torch::Tensor& tensor) {
    write_safetensors(directory / "file", {{name, tensor}});
  };
  EXPECT_THROW(write("", at::ones({1})), std::invalid_argument);
  EXPECT_THROW(write("__metadata__", at::ones({1})), std::invalid_argument);
  EXPECT_THROW(write("line\nbreak", at::ones({1})), std::invalid_argument);
  EXPECT_THROW(write(std::string(513, 'n'), at::ones({1})), std::invalid_argument);
  EXPECT_THROW(write("a", torch::Tensor()), std::invalid_argument);
  EXPECT_THROW(write("a", at::ones({1}, torch::kComplexFloat)), std::invalid_argument);
  EXPECT_THROW(write("a", at::ones({2, 2}).to_sparse()), std::invalid_argument);
  EXPECT_FALSE(fs::exists(directory / "file"));
}

TEST(Safetensors, ReportsAFullDiskAsAnIoError) {
  const TemporaryDirectory directory;
  const NamedTensors tensors = {{"large", at::zeros({10000})}};
  const FileSizeLimit limit(5000);
  EXPECT_THROW(write_safetensors(directory / "file", tensors), IoError);
}

/// Writes the bytes unchanged, whether they are valid or not.
void write_raw(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

std::string with_length(std::uint64_t length, const std::string& rest) {
  return std::string(reinterpret_cast<const char*>(&length), 8) + rest;
}

TEST(SafetensorsReader, ReportsTheFileAndTheReason) {
  const TemporaryDirectory directory;
  const auto file = directory / "state.safetensors";
  const auto reason_for = [&](const std::string& bytes) {
    write_raw(file, bytes);
    return message_of<CheckpointError>([&] { read_safetensors(file); });
  };
  EXPECT_EQ(reason_for(""), file.string() + " cannot be read: the file is too short");
  EXPECT_THAT(reason_for("1234567"), HasSubstr("the file is too short"));
  EXPECT_THAT(reason_for(with_length(0, "")), HasSubstr("does not start with {"));
  EXPECT_THAT(reason_for(with_length(3, "{}")), HasSubstr("longer than the file"));
  EXPECT_THAT(reason_for(with_length(UINT64_MAX, "{}")), HasSubstr("longer than 8 MB"));
  EXPECT_THAT(reason_for(with_length(UINT64_MAX - 7, "{}")), HasSubstr("longer than 8 MB"));
  EXPECT_THAT(reason_for(with_length(2, "{}x")), HasSubstr("1 byte before the end of the file"));
  const std::string flag = R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})";
  EXPECT_THAT(reason_for(with_length(flag.size(), flag + '\x02')), HasSubstr("other than 0 and 1"));
  fs::remove(file);
  EXPECT_THAT(message_of<CheckpointError>([&] { read_safetensors(file); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of<CheckpointError>([&] { read_safetensors(directory.path()); }), HasSubstr("directory"));
}

TEST(SafetensorsReader, DoesNotBlockOnAPipe) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(message_of<CheckpointError>([&] { read_safetensors(directory / "pipe"); }),
              HasSubstr("pipe or a device"));
}

TEST(SafetensorsReader, RejectsAValidFileLargerThanTheMemory) {
  const TemporaryDirectory directory;
  const auto file = directory / "state.safetensors";
  const std::uint64_t size = std::uint64_t{1} << 43;
  const std::string header = R"({"a":{"dtype":"U8","shape":[8796093022208],"data_offsets":[0,8796093022208]}})";
  write_raw(file, with_length(header.size(), header));
  std::error_code error;
  fs::resize_file(file, 8 + header.size() + size, error);  // a sparse file, which needs no space on the disk
  if (error) GTEST_SKIP() << "this file system does not support files of 8 TiB";
  EXPECT_THAT(message_of<CheckpointError>([&] { read_safetensors(file); }), HasSubstr("this machine's memory"));
}

std::string small_file() {
  const TemporaryDirectory directory;
  const NamedTensors tensors = {{"weight", at::ones({2, 2})}, {"flag", at::ones({1}, torch::kBool)}};
  write_safetensors(directory / "file", tensors, {{"k", "v"}});
  return read_file(directory / "file", 1 << 20);
}

/// Returns whether the bytes can be read. Does not catch exceptions other than CheckpointError.
bool is_read(const fs::path& file, const std::string& bytes) {
  write_raw(file, bytes);
  try {
    read_safetensors(file);
    return true;
  } catch (const CheckpointError&) {
    return false;
  }
}

TEST(SafetensorsReader, RejectsATruncatedFileOrTrailingBytes) {
  const TemporaryDirectory directory;
  const std::string bytes = small_file();
  EXPECT_TRUE(is_read(directory / "file", bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(is_read(directory / "file", bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(is_read(directory / "file", bytes + '\0'));
}

TEST(SafetensorsReader, SurvivesEveryFlippedBit) {
  const TemporaryDirectory directory;
  const std::string bytes = small_file();
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const bool read = is_read(directory / "file", damaged);
    if (bit < 64) {
      EXPECT_FALSE(read) << "bit " << bit << " of the header's length";
    } else if (bit >= 64 + header * 8 && bit < 64 + header * 8 + 128) {
      EXPECT_TRUE(read) << "bit " << bit << " of the weights";
    }
  }
}

TEST(SafetensorsReader, SurvivesRandomBytes) {
  const TemporaryDirectory directory;
  const std::string bytes = small_file();
  RandomStream random(0, "damage");
  for (int trial = 0; trial < 3000; ++trial) {
    std::string damaged = bytes;
    for (std::uint32_t changes = 1 + random.below(8); changes > 0; --changes) {
      // Most random bytes make the JSON invalid, so half of the new bytes are copied from the file itself.
      const auto at = random.below(static_cast<std::uint32_t>(bytes.size()));
      const auto from = random.below(static_cast<std::uint32_t>(bytes.size()));
      damaged[at] = random.below(2) == 0 ? static_cast<char>(random.below(256)) : bytes[from];
    }
    is_read(directory / "file", damaged);
  }
}

}  // namespace
}  // namespace slopegan
