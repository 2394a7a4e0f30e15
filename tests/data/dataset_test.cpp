#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/file_writers.h"
#include "data/summary.h"
#include "expect_error.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::string images_of(std::uint32_t count) { return idx_header({count, 2, 2}) + ramp(4 * count); }
std::string labels_of(std::uint32_t count) { return idx_header({count}) + ramp(count); }

DataConfig at(const std::filesystem::path& path) {
  DataConfig config;
  config.path = path.string();
  return config;
}

TEST(LoadDataset, FindsFilesInADirectoryUnderAllTheirCommonNames) {
  for (const std::string between : {"-", "."}) {
    for (const std::string ending : {"", ".gz"}) {
      const TemporaryDirectory directory;
      write_bytes(directory / ("train-images" + between + "idx3-ubyte" + ending), images_of(3));
      write_bytes(directory / ("train-labels" + between + "idx1-ubyte" + ending), labels_of(3));
      write_bytes(directory / ("t10k-images" + between + "idx3-ubyte" + ending), images_of(2));
      const auto train = load_dataset(at(directory.path()), Split::train);
      EXPECT_EQ(train->images.sizes(), (torch::IntArrayRef{3, 1, 2, 2}));
      EXPECT_TRUE(torch::equal(train->labels, torch::arange(3)));
      EXPECT_EQ(train->files.size(), 2u);
      EXPECT_EQ(train->name, directory.path().filename());
      const auto test = load_dataset(at(directory.path()), Split::test);
      EXPECT_EQ(test->size(), 2);
      EXPECT_FALSE(test->has_labels());
    }
  }
}

TEST(LoadDataset, WarnsIfAllImagesAreEqual) {
  const TemporaryDirectory directory;
  const auto file = directory / "train-images-idx3-ubyte";
  const auto warnings = [&](const std::string& bytes) {
    write_bytes(file, bytes);
    return load_dataset(at(file), Split::train)->warnings;
  };
  EXPECT_THAT(warnings(idx_header({3, 2, 2}) + "abcdabcdabcd"),
              Contains("all 3 images are identical, so a GAN can only copy them"));
  EXPECT_THAT(warnings(idx_header({1, 2, 2}) + "abcd"), Contains("there is only one image, which a GAN can only copy"));
  EXPECT_THAT(warnings(images_of(3)), Not(Contains(HasSubstr("copy"))));
}

TEST(LoadTestSplit, ReturnsNullIfThereIsNoUsableTestSplit) {
  const TemporaryDirectory directory;
  write_bytes(directory / "train-images-idx3-ubyte", images_of(3));
  const auto train = load_dataset(at(directory.path()), Split::train);
  EXPECT_EQ(load_test_split(at(directory.path()), *train), nullptr);
  write_bytes(directory / "t10k-images-idx3-ubyte", images_of(2));
  EXPECT_EQ(load_test_split(at(directory.path()), *train)->size(), 2);
  write_bytes(directory / "t10k-images-idx3-ubyte", "damaged");
  EXPECT_EQ(load_test_split(at(directory.path()), *train), nullptr);
}

TEST(LoadDataset, FindsTheLabelsAndTheTestSplitNextToAFile) {
  const TemporaryDirectory directory;
  const auto file = directory / "train-images-idx3-ubyte";
  write_bytes(file, images_of(3));
  write_gz(directory / "train-labels-idx1-ubyte.gz", labels_of(3));
  EXPECT_FALSE(has_split(at(file), Split::test));
  EXPECT_THAT(message_of<DataError>([&] { load_dataset(at(file), Split::test); }), HasSubstr("no test split"));
  write_gz(directory / "t10k-images-idx3-ubyte.gz", images_of(2));
  EXPECT_TRUE(load_dataset(at(file), Split::train)->has_labels());
  EXPECT_EQ(load_dataset(at(file), Split::test)->size(), 2);
}

TEST(LoadDataset, FindsTheFilesOfEmnistAndTransposesItsImages) {
  const TemporaryDirectory directory;
  const auto file = directory / "emnist-letters-train-images-idx3-ubyte";
  write_bytes(file, images_of(3));
  write_gz(directory / "emnist-letters-train-labels-idx1-ubyte.gz", labels_of(3));
  write_bytes(directory / "emnist-letters-test-images-idx3-ubyte", images_of(2));
  EXPECT_EQ(load_dataset(at(file), Split::test)->size(), 2);
  auto config = at(file);
  const auto stored = load_dataset(config, Split::train);
  EXPECT_TRUE(stored->has_labels());
  config.transpose = true;
  EXPECT_TRUE(torch::equal(load_dataset(config, Split::train)->images, stored->images.transpose(2, 3)));
}

TEST(LoadDataset, ConvertsImagesToTheConfiguredChannels) {
  const TemporaryDirectory directory;
  write_bytes(directory / "digits", images_of(3));
  auto config = at(directory / "digits");
  const auto gray = load_dataset(config, Split::train);
  config.channels = 3;
  const auto rgb = load_dataset(config, Split::train);
  ASSERT_EQ(rgb->channels(), 3);
  EXPECT_TRUE(torch::equal(rgb->images.select(1, 2), gray->images.select(1, 0)));
  EXPECT_EQ(rgb->hash, hash_images(rgb->images));
  config.channels = 1;
  EXPECT_EQ(load_dataset(config, Split::train)->hash, gray->hash);
}

TEST(LoadDataset, ReadsAFileWithAnyNameAsATrainingSplitWithoutLabels) {
  const TemporaryDirectory directory;
  write_bytes(directory / "digits", images_of(3));
  const auto dataset = load_dataset(at(directory / "digits"), Split::train);
  EXPECT_EQ(dataset->size(), 3);
  EXPECT_FALSE(dataset->has_labels());
  EXPECT_FALSE(has_split(at(directory / "digits"), Split::test));
}

TEST(LoadDataset, UsesImagesWithoutLabelsIfThereAreTooFewLabels) {
  const TemporaryDirectory directory;
  write_bytes(directory / "train-images-idx3-ubyte", images_of(3));
  write_bytes(directory / "train-labels-idx1-ubyte", labels_of(2));
  const auto dataset = load_dataset(at(directory.path()), Split::train);
  EXPECT_FALSE(dataset->has_labels());
  EXPECT_THAT(dataset->warnings, Contains(AllOf(HasSubstr("2 labels for the 3 images"),
                                                HasSubstr("train-labels-idx1-ubyte"), HasSubstr("without labels"))));
}

TEST(LoadDataset, FindsIdxFilesInFoldersNamedAfterThem) {
  for (const std::string wrapper : {"", "archive/", "archive/mnist/"}) {
    const TemporaryDirectory directory;
    const auto write = [&](const std::string& folder, const std::string& name, const std::string& bytes) {
      std::filesystem::create_directories(directory / (wrapper + folder));
      write_bytes(directory / (wrapper + folder + "/" + name), bytes);
    };
    write("train-images-idx3-ubyte", "train-images.idx3-ubyte", images_of(3));
    write("train-labels-idx1-ubyte", "train-labels.idx1-ubyte", labels_of(3));
    write("t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte", images_of(2));
    write("t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte", labels_of(2));
    const auto path = directory / (wrapper + "train-images-idx3-ubyte/train-images.idx3-ubyte");
    for (const auto& data : {directory.path(), path}) {
      const auto train = load_dataset(at(data), Split::train), test = load_dataset(at(data), Split::test);
      EXPECT_EQ(train->size(), 3);
      EXPECT_TRUE(train->has_labels());
      EXPECT_EQ(test->size(), 2);
      EXPECT_TRUE(test->has_labels());
    }
  }
}

TEST(LoadDataset, UsesOnlyLabelsNextToTheImages) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "other");
  write_bytes(directory / "train-images-idx3-ubyte", images_of(3));
  write_bytes(directory / "other/train-labels-idx1-ubyte", labels_of(3));
  const auto dataset = load_dataset(at(directory.path()), Split::train);
  EXPECT_FALSE(dataset->has_labels());
  EXPECT_THAT(dataset->notes, Contains(HasSubstr("no label file")));
}

TEST(LoadDataset, AsksWhichOfSeveralDataSetsToUse) {
  const TemporaryDirectory directory;
  write_bytes(directory / "emnist-letters-train-images-idx3-ubyte", images_of(3));
  write_bytes(directory / "emnist-letters-train-labels-idx1-ubyte", labels_of(3));
  EXPECT_TRUE(load_dataset(at(directory.path()), Split::train)->has_labels());
  write_bytes(directory / "emnist-digits-train-images-idx3-ubyte", images_of(4));
  EXPECT_FALSE(has_split(at(directory.path()), Split::train));
  EXPECT_THAT(message_of<DataError>([&] { load_dataset(at(directory.path()), Split::train); }),
              HasSubstr("several data sets: emnist-digits, emnist-letters; name the training image file"));
}

TEST(LoadDataset, DoesNotMixDataSetsWithTheSameFileNamesInDifferentFolders) {
  const TemporaryDirectory directory;
  const auto write = [&](const std::string& name, std::uint32_t count) {
    std::filesystem::create_directories((directory / name).parent_path());
    write_bytes(directory / name, images_of(count));
  };
  write("b/train-images-idx3-ubyte", 4);
  write("b/t10k-images-idx3-ubyte", 2);
  write("a/t10k-images-idx3-ubyte", 1);
  EXPECT_EQ(load_dataset(at(directory.path()), Split::test)->size(), 2);  // next to the training images
  write("c/train-images.idx3-ubyte", 3);
  for (const auto split : {Split::train, Split::test}) {
    EXPECT_FALSE(has_split(at(directory.path()), split));
    EXPECT_THAT(message_of<DataError>([&] { load_dataset(at(directory.path()), split); }),
                HasSubstr("several data sets: b, c; name the training image file"));
  }
  EXPECT_EQ(load_dataset(at(directory / "c/train-images.idx3-ubyte"), Split::train)->size(), 3);
  write("train-images-idx3-ubyte", 5);  // takes precedence over those in subdirectories
  EXPECT_EQ(load_dataset(at(directory.path()), Split::train)->size(), 5);
  EXPECT_EQ(load_dataset(at(directory.path()), Split::test)->size(), 1);  // not the test images of b
}

TEST(LoadDataset, FindsTheSplitsOfOneDataSetInSeparateFolders) {
  const TemporaryDirectory directory;
  for (const char* name : {"train", "test"}) std::filesystem::create_directory(directory / name);
  write_bytes(directory / "train/train-images-idx3-ubyte", images_of(3));
  write_bytes(directory / "test/t10k-images-idx3-ubyte", images_of(2));
  EXPECT_EQ(load_dataset(at(directory.path()), Split::train)->size(), 3);
  EXPECT_EQ(load_dataset(at(directory.path()), Split::test)->size(), 2);
}

TEST(LoadDataset, IgnoresLabelsOnRequest) {
  const TemporaryDirectory directory;
  write_bytes(directory / "train-images-idx3-ubyte", images_of(3));
  write_bytes(directory / "train-labels-idx1-ubyte", labels_of(3));
  auto config = at(directory.path());
  EXPECT_TRUE(load_dataset(config, Split::train)->has_labels());
  config.labels = LabelUse::none;
  const auto dataset = load_dataset(config, Split::train);
  EXPECT_FALSE(dataset->has_labels());
  EXPECT_THAT(dataset->notes, Contains(HasSubstr("data.labels: none")));
}

TEST(LoadDataset, NamesTheExpectedFilesAndExplainsWhereToGetThem) {
  const TemporaryDirectory directory;
  const auto missing = at(directory / "missing");
  const auto help = AllOf(HasSubstr("train-images-idx3-ubyte"), HasSubstr("dataset-fashion-mnist"));
  EXPECT_FALSE(has_split(missing, Split::train));
  EXPECT_THAT(message_of<DataError>([&] { load_dataset(missing, Split::train); }),
              AllOf(help, HasSubstr(missing.path + " does not exist")));
  EXPECT_THAT(message_of<DataError>([&] { load_dataset(at(directory.path()), Split::train); }),
              AllOf(help, HasSubstr("has no images of the train split")));
}

TEST(LoadDataset, RejectsAFolderNamedLikeAnIdxFile) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "train-images-idx3-ubyte");
  EXPECT_THAT(message_of<DataError>([&] { load_dataset(at(directory.path()), Split::train); }),
              HasSubstr("has no images of the train split"));
}

TEST(HashImages, DigestsShapeAndBytes) {
  // printf 'uint8 1 1 2 2\n\0\1\2\3' | sha256sum
  EXPECT_EQ(hash_images(torch::arange(4).to(torch::kByte).view({1, 1, 2, 2})),
            "3b21b8f24844f797656b96b4425049a47eafc59c8a8419ca4b4011c8ab73cefc");
  EXPECT_NE(hash_images(torch::zeros({1, 1, 1, 4}, torch::kByte)),
            hash_images(torch::zeros({1, 1, 2, 2}, torch::kByte)));
}

TEST(SummaryText, ListsTheStatistics) {
  Dataset dataset;
  dataset.images = torch::tensor({10, 20, 30, 60}).to(torch::kByte).view({2, 1, 1, 2});
  dataset.labels = torch::tensor({7, 7}).to(torch::kLong);
  EXPECT_THAT(summary_text(dataset, Split::test),
              AllOf(HasSubstr("test\n"), HasSubstr("2 of 1 x 2 pixels"), HasSubstr("10 to 60"), HasSubstr("30.000"),
                    HasSubstr("18.708"), HasSubstr("7: 2")));
}

TEST(SmallDataNote, RecommendsAugmentationForFewImagesUnlessItIsConfigured) {
  Config config;
  EXPECT_THAT(small_data_note(config, 300), AllOf(HasSubstr("300 training images"), HasSubstr("small_data.yaml")));
  EXPECT_EQ(small_data_note(config, 60000), "");
  config.discriminator.augment = {Augmentation::translation};
  EXPECT_EQ(small_data_note(config, 300), "");
}

TEST(FashionMnist, MatchesThePublishedStatistics) {
  const DataConfig config;
  if (!has_split(config, Split::train)) GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
  const auto train = load_dataset(config, Split::train), test = load_dataset(config, Split::test);
  EXPECT_EQ(train->images.sizes(), (torch::IntArrayRef{60000, 1, 28, 28}));
  EXPECT_EQ(test->images.sizes(), (torch::IntArrayRef{10000, 1, 28, 28}));
  EXPECT_TRUE(torch::equal(torch::bincount(train->labels), torch::full({10}, 6000, torch::kLong)));
  EXPECT_TRUE(torch::equal(torch::bincount(test->labels), torch::full({10}, 1000, torch::kLong)));
  const auto summary = summarize(*train);
  EXPECT_NEAR(summary.mean / 255, 0.2860, 5e-5);  // the usual normalisation constants
  EXPECT_NEAR(summary.deviation / 255, 0.3530, 5e-5);
  EXPECT_EQ(train->labels[0].item<std::int64_t>(), 9);
  EXPECT_EQ(label_text(*train, 9), "Ankle boot");
  EXPECT_EQ(label_text(*test, 0), "T-shirt/top");
}

}  // namespace
}  // namespace slopegan
