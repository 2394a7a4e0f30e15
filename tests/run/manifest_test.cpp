#include "run/manifest.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "expect_error.h"
#include "support/files.h"
#include "support/machine.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

Manifest example_manifest() {
  return {{64, "0.1.0", "seed: 1\n", "9f2a", {{"history.jsonl", 10}}},
          {{"state.safetensors", {5, std::string(64, 'a')}}}};
}

/// Returns the fields of the example without the seal, so that a test can change them and call sealed_text().
nlohmann::json example_fields() {
  auto json = nlohmann::json::parse(manifest_text(example_manifest()));
  json.erase("manifest_sha256");
  return json;
}

std::string sealed_text(const nlohmann::json& fields) { return sealed(fields.dump()); }

Manifest read_back(const TemporaryDirectory& directory, const std::string& text) {
  write_file_atomic(directory / "manifest.json", text);
  return read_manifest(directory.path());
}

TEST(CheckpointInfo, IsAnImportUntilItIsTrained) {
  CheckpointInfo info;
  EXPECT_TRUE(info.is_import());
  info.images = 64;
  EXPECT_FALSE(info.is_import());
  info.images = 0;
  info.dataset_hash = "9f2a";  // the start of fine-tuning
  EXPECT_FALSE(info.is_import());
}

TEST(CheckpointInfo, WasTrainedOnOtherImagesOnlyIfBothHashesAreKnown) {
  CheckpointInfo info = example_manifest().info;
  EXPECT_FALSE(info.was_trained_on_other_images("9f2a"));
  EXPECT_TRUE(info.was_trained_on_other_images("0000"));
  EXPECT_FALSE(info.was_trained_on_other_images(""));
  info.dataset_hash = "";
  EXPECT_FALSE(info.was_trained_on_other_images("9f2a"));
}

TEST(Manifest, RoundTrips) {
  const TemporaryDirectory directory;
  const Manifest manifest = read_back(directory, manifest_text(example_manifest()));
  EXPECT_EQ(manifest.info, example_manifest().info);
  EXPECT_EQ(manifest.files, example_manifest().files);
}

TEST(Manifest, ContainsThePathOfTheDataIfItIsKnown) {
  const TemporaryDirectory directory;
  Manifest manifest = example_manifest();
  EXPECT_THAT(manifest_text(manifest), ::testing::Not(HasSubstr("data_path")));
  manifest.info.data_path = "/data/photos";
  EXPECT_EQ(read_back(directory, manifest_text(manifest)).info, manifest.info);
}

TEST(Manifest, ContainsTheGradientPenaltyIfItIsKnown) {
  const TemporaryDirectory directory;
  Manifest manifest = example_manifest();
  EXPECT_THAT(manifest_text(manifest), ::testing::Not(HasSubstr("gradient_penalty")));
  manifest.info.gradient_penalty = 0.1 + 0.2;
  EXPECT_EQ(read_back(directory, manifest_text(manifest)).info, manifest.info);
  auto fields = example_fields();
  fields["gradient_penalty"] = "0.3";
  EXPECT_THAT(message_of<CheckpointError>([&] { read_back(directory, sealed_text(fields)); }),
              HasSubstr("the gradient penalty is not a number"));
}

TEST(Manifest, ContainsTheMeasuredKernelsIfThereAreAny) {
  const TemporaryDirectory directory;
  Manifest manifest = example_manifest();
  EXPECT_THAT(manifest_text(manifest), ::testing::Not(HasSubstr("kernels")));
  manifest.info.kernels = {"transpose float32 32 64 128 4 4, 2 threads: tiles", "anything"};
  EXPECT_EQ(read_back(directory, manifest_text(manifest)).info, manifest.info);
  auto fields = example_fields();
  for (const nlohmann::json& wrong : {nlohmann::json("tiles"), nlohmann::json({1, 2}), nlohmann::json({{"a", "b"}})}) {
    fields["kernels"] = wrong;
    EXPECT_THAT(message_of<CheckpointError>([&] { read_back(directory, sealed_text(fields)); }),
                HasSubstr("a field is missing or has the wrong type"));
  }
}

struct Damage {
  const char* what;
  const char* pointer;  // JSON pointer
  nlohmann::json value;
  const char* reason;
};

/// Prints the name shown by CTest.
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.what; }

const Damage damages[] = {
    {"ADifferentFormat", "/format", "tar", "not a manifest of a slopegan checkpoint"},
    {"NoFormat", "/format", nullptr, "not a manifest of a slopegan checkpoint"},
    {"TheVersionAsText", "/format_version", "1", "must be a non-negative integer"},
    {"ANegativeVersion", "/format_version", -1, "must be a non-negative integer"},
    {"NegativeImages", "/images", -64, "must be a non-negative integer"},
    {"HalfAnImage", "/images", 0.5, "must be a non-negative integer"},
    {"TooManyImages", "/images", 9223372036854775808u, "must be a non-negative integer"},
    {"MoreImagesThanARunMaySee", "/images", 9223372036854775807u, "number of images is out of range"},
    {"AnEscapeInAFileName",
     "/files/..~1\x1b[2J",
     {{"size", 1}, {"sha256", ""}},
     "\"../?[2J\" is not a valid file name"},
    {"ABooleanAsOffset", "/file_offsets/history.jsonl", true, "must be a non-negative integer"},
    {"OffsetsThatAreANumber", "/file_offsets", 1, "the wrong type"},
    {"FilesThatAreAList", "/files", nlohmann::json::array({1}), "the wrong type"},
    {"AChangedConfiguration", "/config", "seed: 2\n", "the configuration is damaged"},
    {"ADatasetDigestOfTheWrongType", "/dataset_sha256", 1, "the wrong type"},
    {"AConfigurationOfTheWrongType", "/config", 1, "the wrong type"},
    {"ADataPathOfTheWrongType", "/data_path", 1, "the wrong type"},
    {"ADigestOfTheWrongType", "/files/state.safetensors/sha256", 1, "the wrong type"},
    {"ASizeOfTheWrongType", "/files/state.safetensors/size", "5", "must be a non-negative integer"},
    {"AFileOutsideTheCheckpoint", "/files/..~1state", {{"size", 1}, {"sha256", ""}}, "not a valid file name"},
    {"TheParentDirectory", "/files/..", {{"size", 1}, {"sha256", ""}}, "not a valid file name"},
    {"AnAbsolutePath", "/files/~1etc~1passwd", {{"size", 1}, {"sha256", ""}}, "not a valid file name"},
};

class DamagedManifest : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedManifest, IsRejectedWithTheReason) {
  const TemporaryDirectory directory;
  auto json = example_fields();
  json[nlohmann::json::json_pointer(GetParam().pointer)] = GetParam().value;
  const auto message = message_of<CheckpointError>([&] { read_back(directory, sealed_text(json)); });
  EXPECT_THAT(message, HasSubstr(GetParam().reason));
  EXPECT_THAT(message, HasSubstr((directory / "manifest.json").string()));
}

INSTANTIATE_TEST_SUITE_P(Table, DamagedManifest, ::testing::ValuesIn(damages),
                         [](const auto& damage) { return damage.param.what; });

TEST(Manifest, OfANewerFormatIsRejectedWithItsVersionAndNoControlCharacters) {
  auto json = nlohmann::json::parse(manifest_text(example_manifest()));
  json["format_version"] = 2;
  json["slopegan"] = "9\x1b[2J\n";
  EXPECT_THAT(message_of<NewerFormatError>([&] { parse_manifest(json.dump(), "m"); }),
              HasSubstr("m: format version 2, written by slopegan 9?[2J?; this slopegan reads versions up to 1"));
}

TEST(Manifest, LargerThanTwoMegabytesIsNotRead) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "manifest.json") << '{' << std::string(2'000'000, ' ') << '}';
  EXPECT_THAT(message_of<CheckpointError>([&] { read_manifest(directory.path()); }), HasSubstr("larger than 2000000"));
}

TEST(Manifest, EveryFieldIsRequired) {
  const TemporaryDirectory directory;
  const auto json = example_fields();
  EXPECT_THROW(read_back(directory, json.dump()), CheckpointError);  // no seal
  EXPECT_NO_THROW(read_back(directory, sealed_text(json)));
  for (const auto& [name, value] : json.items()) {
    auto without = json;
    without.erase(name);
    EXPECT_THROW(read_back(directory, sealed_text(without)), CheckpointError) << name;
  }
}

TEST(Manifest, RejectsAnyChangedByte) {
  const TemporaryDirectory directory;
  const std::string text = manifest_text(example_manifest());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == '7' ? '8' : '7';
    std::ofstream(directory / "manifest.json", std::ios::trunc) << changed;
    EXPECT_THROW(read_manifest(directory.path()), CheckpointError) << i;
  }
}

TEST(Manifest, RejectsATruncationAtAnyByte) {
  const TemporaryDirectory directory;
  const std::string text = manifest_text(example_manifest());
  for (std::size_t size = 0; size < text.size(); ++size) {
    std::ofstream(directory / "manifest.json", std::ios::trunc) << text.substr(0, size);
    EXPECT_THROW(read_manifest(directory.path()), CheckpointError) << size;
  }
}

TEST(Manifest, NestingIsBounded) {
  const TemporaryDirectory directory;
  std::string deep(1000000, '[');
  EXPECT_THROW(read_back(directory, deep), CheckpointError);
  EXPECT_THROW(read_back(directory, "{\"a\":" + deep + std::string(deep.size(), ']') + "}"), CheckpointError);
}

TEST(Manifest, RejectsAFileLargerThanTheMemoryWithoutReadingIt) {
  const TemporaryDirectory directory;
  Manifest manifest = example_manifest();
  manifest.files["state.safetensors"].size = physical_memory_bytes() + 1;
  std::ofstream(directory / "state.safetensors").close();
  std::error_code error;
  std::filesystem::resize_file(directory / "state.safetensors", physical_memory_bytes() + 1, error);  // sparse
  if (error) GTEST_SKIP() << "this file system does not support files larger than this machine's memory";
  EXPECT_THAT(message_of<CheckpointError>([&] { verify_files(directory.path(), manifest); }),
              HasSubstr("state.safetensors: the file is larger than this machine's memory"));
}

}  // namespace
}  // namespace slopegan
