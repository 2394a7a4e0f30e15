#include "data/folder_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/text.h"

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(LabelByDirectory, UsesTheTopLevelDirectories) {
  const auto found = label_by_directory({"cat/a.png", "cat/old/b.png", "dog/c.png"});
  EXPECT_THAT(found.class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(found.labels, ElementsAre(0, 0, 1));
  EXPECT_THAT(found.notes, ElementsAre("labels: the 2 directories cat, dog"));
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(LabelByDirectory, ExplainsWhyThereAreNoLabels) {
  const auto note = [](const std::vector<std::filesystem::path>& files) {
    const auto found = label_by_directory(files);
    EXPECT_THAT(found.labels, IsEmpty());
    return found.notes.at(0);
  };
  EXPECT_EQ(note({"a.png", "b.png"}), "labels: none, because the images are not in subdirectories");
  EXPECT_EQ(note({"cat/a.png", "cat/b.png"}), "labels: none, because there is only one directory, cat");
  EXPECT_THAT(note({"00000/a.png", "01000/b.png"}),
              AllOf(HasSubstr("look like serial numbers: 00000, 01000"), HasSubstr("class_00000")));
}

TEST(LabelByDirectory, OmitsAFewImagesNextToTheDirectoriesAndWarnsAboutThem) {
  const auto found = label_by_directory({"cat/a.png", "cover.jpg", "dog/b.png"});
  EXPECT_THAT(found.labels, ElementsAre(0, -1, 1));
  EXPECT_THAT(found.warnings, ElementsAre(AllOf(HasSubstr("1 image is left out"), HasSubstr("cover.jpg"),
                                                HasSubstr("data.labels: none"))));
}

TEST(LabelByDirectory, UsesAllImagesWithoutLabelsIfManyAreNextToTheDirectories) {
  std::vector<std::filesystem::path> files = {"cat/a.png", "dog/b.png"};
  for (int i = 0; i < 6; ++i) files.emplace_back(format_text("{}.png", i));
  const auto found = label_by_directory(files);
  EXPECT_THAT(found.labels, IsEmpty());
  EXPECT_THAT(found.warnings,
              ElementsAre(AllOf(HasSubstr("labels: none, because 6 of the 8 images are not in a class directory"),
                                HasSubstr("0.png"))));
}

TEST(LabelByDirectory, WarnsAboutTestImagesInsideTheClassDirectories) {
  const auto found = label_by_directory({"bottle/test/a.png", "bottle/train/b.png", "cable/train/c.png"});
  EXPECT_THAT(found.warnings,
              ElementsAre(AllOf(HasSubstr("1 of the training images"), HasSubstr("bottle/test/a.png"))));
}

TEST(RunningNames, AreRecognisedAsSerialNumbersYearsDatesOrParts) {
  EXPECT_EQ(running_names({"00000", "01000", "02000"}), "serial numbers");
  EXPECT_EQ(running_names({"0", "1000", "2000"}), "serial numbers");
  EXPECT_EQ(running_names({"2019", "2020"}), "years");
  EXPECT_EQ(running_names({"2019-05-01", "2019-05-02"}), "dates");
  EXPECT_EQ(running_names({"2019_05", "2020_11"}), "dates");
  EXPECT_EQ(running_names({"100APPLE", "101APPLE"}), "camera folders");
  EXPECT_EQ(running_names({"part1", "Part_2"}), "parts of one set");
  std::vector<std::string> prefixes;
  for (int i = 0; i < 256; ++i) prefixes.push_back(format_text("{:02x}", i));
  EXPECT_EQ(running_names(prefixes), "checksum prefixes");
}

TEST(RunningNames, AreNotRecognisedInNamesThatMayBeClasses) {
  EXPECT_EQ(running_names({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}), "");  // digits
  EXPECT_EQ(running_names({"00000", "00001", "00002", "00042"}), "");                // traffic signs
  EXPECT_EQ(running_names({"20", "30", "40"}), "");                                  // ages
  EXPECT_EQ(running_names({"class_1", "class_2"}), "");
  EXPECT_EQ(running_names({"cat", "2019"}), "");
}

TEST(LabelTestImages, IgnoresTheCaseOfClassNames) {
  const auto found = label_test_images({"Cat/a.png", "test/dog/b.png"}, {"cat", "dog"});
  EXPECT_THAT(found.labels, ElementsAre(0, 1));
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(LabelTestImages, UsesNoLabelsIfAnImageIsInNoClassDirectory) {
  for (const char* file : {"bird/a.png", "a.png"}) {
    const auto found = label_test_images({"cat/b.png", file}, {"cat", "dog"});
    EXPECT_THAT(found.labels, IsEmpty());
    EXPECT_THAT(found.warnings,
                ElementsAre(AllOf(HasSubstr(file), HasSubstr("(cat, dog)"), HasSubstr("are used without labels"))));
  }
  EXPECT_THAT(label_test_images({"a.png"}, {}).warnings, IsEmpty());
}

}  // namespace
}  // namespace slopegan
