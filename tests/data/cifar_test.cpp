#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/file_writers.h"
#include "expect_error.h"
#include "support/errors.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

DataConfig cifar_at(const std::filesystem::path& path) {
  DataConfig config;
  config.kind = DatasetKind::cifar;
  config.path = path.string();
  return config;
}

/// A record whose red plane is `value`, whose green plane is value + 1, and whose blue plane is 0, 1, 2, ...
std::string record(const std::string& labels, int value) {
  return labels + std::string(1024, static_cast<char>(value)) + std::string(1024, static_cast<char>(value + 1)) +
         ramp(1024);
}

void write_cifar_10(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  for (int i = 1; i <= 5; ++i) {
    write_bytes(directory / format_text("data_batch_{}.bin", i),
                record(std::string(1, static_cast<char>(i)), 10 * i) + record(std::string(1, '\0'), 10 * i + 5));
  }
}

TEST(Cifar, ConcatenatesTheBatchesOfCifar10) {
  const TemporaryDirectory directory;
  write_cifar_10(directory.path());
  EXPECT_FALSE(has_split(cifar_at(directory.path()), Split::test));
  write_gz(directory / "test_batch.bin.gz", record("\7", 99));
  const auto train = load_dataset(cifar_at(directory.path()), Split::train);
  ASSERT_EQ(train->images.sizes(), (torch::IntArrayRef{10, 3, 32, 32}));
  EXPECT_TRUE(torch::equal(train->labels, torch::tensor({1, 0, 2, 0, 3, 0, 4, 0, 5, 0}, torch::kLong)));
  EXPECT_EQ(train->images[5][0][31][31].item<int>(), 35);
  EXPECT_EQ(train->images[5][1][0][0].item<int>(), 36);
  EXPECT_EQ(train->images[5][2][1][2].item<int>(), 34);  // row-major
  EXPECT_EQ(train->name, "CIFAR-10");
  EXPECT_TRUE(has_split(cifar_at(directory.path()), Split::test));
  const auto test = load_dataset(cifar_at(directory.path()), Split::test);
  EXPECT_EQ(test->labels.item<std::int64_t>(), 7);
}

TEST(Cifar, HasNoClassNamesIfTheirFileCannotBeRead) {
  const TemporaryDirectory directory;
  write_cifar_10(directory.path());
  std::filesystem::create_symlink("/proc/self/mem", directory / "batches.meta.txt");  // unreadable, even for root
  const auto dataset = load_dataset(cifar_at(directory.path()), Split::train);
  EXPECT_EQ(dataset->size(), 10);
  EXPECT_TRUE(dataset->has_labels());
  EXPECT_TRUE(dataset->class_names.empty());
  EXPECT_THAT(dataset->notes, ::testing::Contains(HasSubstr("batches.meta.txt")));
}

TEST(Cifar, ReadsTheClassNamesFromTheFileNextToTheImages) {
  const TemporaryDirectory directory;
  write_cifar_10(directory.path());
  const auto names = [&] { return load_dataset(cifar_at(directory.path()), Split::train)->class_names; };
  EXPECT_TRUE(names().empty());
  const std::string all = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
  write_bytes(directory / "batches.meta.txt", all);
  ASSERT_EQ(names().size(), 10u);
  EXPECT_EQ(names()[9], "truck");
  write_bytes(directory / "batches.meta.txt", all + "eleventh\n");
  EXPECT_TRUE(names().empty());
  std::filesystem::remove(directory / "batches.meta.txt");
  std::filesystem::create_directory(directory / "batches.meta.txt");
  EXPECT_TRUE(names().empty());
}

TEST(Cifar, IsFoundInTheDirectoryThatItsArchiveUnpacksTo) {
  const TemporaryDirectory directory;
  write_cifar_10(directory / "cifar-10-batches-bin");
  EXPECT_EQ(load_dataset(cifar_at(directory.path()), Split::train)->size(), 10);
}

TEST(Cifar, IsFoundInAWrapperFolderAndByThePathOfOneOfItsFiles) {
  const TemporaryDirectory directory;
  write_cifar_10(directory / "archive/cifar-10-batches-bin");
  EXPECT_EQ(load_dataset(cifar_at(directory.path()), Split::train)->size(), 10);
  EXPECT_EQ(load_dataset(cifar_at(directory / "archive/cifar-10-batches-bin/data_batch_2.bin"), Split::train)->size(),
            10);
}

TEST(Cifar, UsesImagesWithoutLabelsIfTheLabelsAreInvalid) {
  const TemporaryDirectory directory;
  write_cifar_10(directory.path());
  write_bytes(directory / "data_batch_3.bin", record("\x0a", 1));
  const auto train = load_dataset(cifar_at(directory.path()), Split::train);
  EXPECT_EQ(train->size(), 9);
  EXPECT_FALSE(train->has_labels());
  EXPECT_THAT(train->warnings, ::testing::Contains(HasSubstr("data_batch_3.bin contains the label 10")));
}

TEST(Cifar, AsksForTheBinaryVersionInsteadOfPickledFiles) {
  for (const std::string name : {"cifar-10-batches-py/data_batch_1", "cifar-100-python/meta"}) {
    const TemporaryDirectory directory;
    std::filesystem::create_directories((directory / name).parent_path());
    directory.write(name, "\x80\x02}");
    EXPECT_THAT(message_of<DataError>([&] { load_dataset(cifar_at(directory.path()), Split::train); }),
                HasSubstr("download the binary version"));
  }
}

TEST(Cifar, UsesTheFineLabelsOfCifar100) {
  const TemporaryDirectory directory;
  write_bytes(directory / "train.bin", record("\x05\x63", 1) + record(std::string("\x13\0", 2), 2));
  const auto train = load_dataset(cifar_at(directory.path()), Split::train);
  EXPECT_TRUE(torch::equal(train->labels, torch::tensor({99, 0}, torch::kLong)));
  EXPECT_EQ(train->images[1][0][0][0].item<int>(), 2);
  EXPECT_EQ(train->name, "CIFAR-100");
}

TEST(Cifar, NamesTheExpectedFilesIfThereAreNone) {
  const TemporaryDirectory directory;
  EXPECT_THAT(message_of<DataError>([&] { load_dataset(cifar_at(directory.path()), Split::train); }),
              HasSubstr("neither CIFAR-10's data_batch_1.bin"));
}

}  // namespace
}  // namespace slopegan
