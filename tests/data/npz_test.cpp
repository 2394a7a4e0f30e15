#include <cmath>
#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/file_writers.h"
#include "expect_error.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path golden = std::filesystem::path(SLOPEGAN_TEST_DATA) / "npz";

DataConfig npz_at(const std::filesystem::path& file) {
  DataConfig config;
  config.kind = DatasetKind::npz;
  config.path = file.string();
  return config;
}

/// The value that scripts/golden_npz.py writes at [i, y, x, c].
std::int64_t golden_value(std::int64_t i, std::int64_t y, std::int64_t x, std::int64_t c, std::int64_t width,
                          std::int64_t channels) {
  return (i + (y * width + x) * channels + c) % 251;
}

TEST(NpzDataset, MatchesTheArraysWrittenByNumPy) {
  const auto dataset = load_dataset(npz_at(golden / "rgb.npz"), Split::train);
  ASSERT_EQ(dataset->images.sizes(), (torch::IntArrayRef{7, 3, 4, 5}));
  EXPECT_TRUE(dataset->images.is_contiguous());
  const auto values = dataset->images.accessor<std::uint8_t, 4>();
  for (std::int64_t i = 0; i < 7; ++i) {
    for (std::int64_t c = 0; c < 3; ++c) {
      for (std::int64_t y = 0; y < 4; ++y) {
        for (std::int64_t x = 0; x < 5; ++x) EXPECT_EQ(values[i][c][y][x], golden_value(i, y, x, c, 5, 3));
      }
    }
  }
  EXPECT_TRUE(torch::equal(dataset->labels, torch::arange(7).remainder(3)));
  EXPECT_EQ(dataset->name, "rgb");
  EXPECT_EQ(load_dataset(npz_at(golden / "rgb.npz"), Split::test)->size(), 4);
}

TEST(NpzDataset, UsesTheValidationArraysIfThereIsNoTestSplit) {
  const auto config = npz_at(golden / "gray.npz");
  EXPECT_TRUE(has_split(config, Split::test));
  const auto train = load_dataset(config, Split::train), test = load_dataset(config, Split::test);
  EXPECT_EQ(train->images.sizes(), (torch::IntArrayRef{6, 1, 4, 4}));
  EXPECT_EQ(train->images[5][0][3][2].item<std::int64_t>(), golden_value(5, 3, 2, 0, 4, 1));
  EXPECT_TRUE(torch::equal(train->labels, torch::arange(6).remainder(3)));  // int64 in the file
  EXPECT_EQ(test->size(), 2);
}

TEST(NpzDataset, NeedsNeitherLabelsNorATestSplit) {
  const TemporaryDirectory directory;
  const auto file = directory / "plain.npz";
  write_zip(file, {{"train_images.npy", npy("|u1", "(3, 4, 4)", ramp(48))}});
  EXPECT_FALSE(has_split(npz_at(file), Split::test));
  EXPECT_FALSE(load_dataset(npz_at(file), Split::train)->has_labels());
  EXPECT_THAT(message_of<DataError>([&] { load_dataset(npz_at(file), Split::test); }),
              AllOf(HasSubstr("plain.npz contains no array with the images of the test split"),
                    HasSubstr("it contains: train_images")));
}

TEST(NpzDataset, WarnsAboutSeveralLabelsPerImageAndUsesNone) {
  const TemporaryDirectory directory;
  const auto file = directory / "chest.npz";
  write_zip(file, {{"train_images.npy", npy("|u1", "(3, 4, 4)", ramp(48))},
                   {"train_labels.npy", npy("|u1", "(3, 14)", ramp(42))}});
  const auto dataset = load_dataset(npz_at(file), Split::train);
  EXPECT_FALSE(dataset->has_labels());
  EXPECT_THAT(dataset->warnings, Contains(HasSubstr("train_labels contains several labels per image")));
}

TEST(NpzDataset, ReadsSignedLabels) {
  const TemporaryDirectory directory;
  const auto file = directory / "signed.npz";
  write_zip(file, {{"train_images.npy", npy("|u1", "(2, 4, 4)", ramp(32))},
                   {"train_labels.npy", npy("<i2", "(2,)", std::string("\xfe\xff\1\1", 4))}});
  EXPECT_TRUE(torch::equal(load_dataset(npz_at(file), Split::train)->labels, torch::tensor({-2, 257}, torch::kLong)));
}

// --- Other names, types and orders -----------------------------------------------------------------------------------

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class NpzArrays : public ::testing::Test {
 protected:
  using Arrays = std::map<std::string, std::string>;

  std::shared_ptr<const Dataset> load(const Arrays& arrays, Split split = Split::train) {
    write(arrays);
    return load_dataset(config_, split);
  }
  std::string refusal(const Arrays& arrays) {
    write(arrays);
    return message_of<DataError>([&] { load_dataset(config_, Split::train); });
  }
  /// Sets the resolution to the size of the images, because fitting them would add a note.
  static DataConfig small(DataConfig config) {
    config.resolution = 2;
    return config;
  }
  static std::string four_images() { return npy("|u1", "(4, 2, 2)", ramp(16)); }

  const TemporaryDirectory directory_;
  DataConfig config_ = small(npz_at(directory_ / "data.npz"));

 private:
  void write(const Arrays& arrays) const {
    Arrays entries;
    for (const auto& [name, bytes] : arrays) entries[name + ".npy"] = bytes;
    write_zip(directory_ / "data.npz", entries);
  }
};

TEST_F(NpzArrays, AreFoundUnderCommonNames) {
  const auto labels = npy("|u1", "(4,)", ramp(4));
  using Pair = std::pair<std::string, std::string>;
  for (const auto& [images, targets] : std::vector<Pair>{{"x_train", "y_train"},
                                                         {"X_train", "Y_train"},
                                                         {"train_x", "train_y"},
                                                         {"images", "labels"},
                                                         {"X", "y"},
                                                         {"data", "target"},
                                                         {"train_data", "train_labels"},
                                                         {"arr_0", "arr_1"}}) {
    const auto dataset = load({{images, four_images()}, {targets, labels}});
    EXPECT_EQ(dataset->size(), 4) << images;
    EXPECT_TRUE(dataset->has_labels()) << images;
    EXPECT_TRUE(dataset->notes.empty()) << images;
  }
  for (const char* images : {"arr_0", "faces", "data"}) EXPECT_EQ(load({{images, four_images()}})->size(), 4) << images;
  const Arrays keras = {{"x_train", four_images()},
                        {"y_train", labels},
                        {"x_test", npy("|u1", "(2, 2, 2)", ramp(8))},
                        {"y_test", npy("|u1", "(2,)", ramp(2))}};
  EXPECT_EQ(load(keras, Split::test)->size(), 2);
  EXPECT_TRUE(load(keras, Split::test)->has_labels());
}

TEST_F(NpzArrays, AreUsedForTrainingIfThereIsOnlyOneSplit) {
  for (const char* name : {"test_images", "x_test", "val_images"}) {
    EXPECT_EQ(load({{name, four_images()}})->size(), 4) << name;
    EXPECT_FALSE(has_split(config_, Split::test)) << name;
  }
  EXPECT_EQ(load({{"x_test", four_images()}, {"x", four_images()}}, Split::test)->size(), 4);
}

TEST_F(NpzArrays, AreNamedInANoteIfTheyAreNotRead) {
  const auto dataset =
      load({{"images", four_images()}, {"masks", four_images()}, {"weights", npy("<f4", "(1,)", "abcd")}});
  EXPECT_THAT(dataset->notes, Contains("arrays that are not read: masks, weights"));
}

TEST_F(NpzArrays, MayBeInTheOnlyNpzFileOfAFolder) {
  load({{"images", four_images()}});
  config_.path = directory_.path().string();
  EXPECT_EQ(load_dataset(config_, Split::train)->size(), 4);
  std::filesystem::copy_file(directory_ / "data.npz", directory_ / "more.npz");
  EXPECT_THAT(message_of<DataError>([&] { load_dataset(config_, Split::train); }), HasSubstr("contains 2 npz files"));
}

TEST_F(NpzArrays, OfOtherTypesBecomeBytesAndCauseANote) {
  struct Case {
    const char* type;
    std::string values;
    std::vector<int> expected;
    const char* note;
  };
  for (const auto& [type, values, expected, note] :
       std::vector<Case>{{"<f4", raw<float>({0, 0.5, 1, 0.25}), {0, 128, 255, 64}, "1 is white"},
                         {"<f8", raw<double>({-1, 0, 1, 0.5}), {0, 128, 255, 191}, "-1 is black"},
                         {"<f4", raw<float>({0, 7.4f, 255, 100}), {0, 7, 255, 100}, "rounded to bytes"},
                         {"|b1", std::string("\0\1\1\0", 4), {0, 255, 255, 0}, "true and false"},
                         {"<i8", raw<std::int64_t>({0, 1, 1, 0}), {0, 255, 255, 0}, "1 is white"},
                         {"<i4", raw<std::int32_t>({0, 200, 255, 9}), {0, 200, 255, 9}, "used as bytes"},
                         {"<u2", raw<std::uint16_t>({0, 4095, 2048, 1000}), {0, 255, 128, 62}, "4095 is white"},
                         {"<u2", raw<std::uint16_t>({0, 65535, 32768, 257}), {0, 255, 128, 1}, "65535 is white"},
                         {">i2", std::string("\0\0\3\xff\0\1\2\0", 8), {0, 255, 0, 128}, "1023 is white"}}) {
    const auto dataset = load({{"images", npy(type, "(1, 2, 2)", values)}});
    const auto expected_bytes = torch::tensor(expected, torch::kInt).to(torch::kByte);
    EXPECT_TRUE(torch::equal(dataset->images.flatten(), expected_bytes)) << type << " " << note << dataset->images;
    EXPECT_THAT(dataset->notes, Contains(HasSubstr(note))) << type;
  }
}

TEST_F(NpzArrays, AreRejectedIfTheirRangeOrShapeIsUnsuitable) {
  EXPECT_THAT(refusal({{"images", npy("<f4", "(1, 2, 2)", raw<float>({-2.1f, 0, 1, 2.6f}))}}),
              AllOf(HasSubstr("images contains values from -2.1 to 2.6"), HasSubstr("rescale")));
  EXPECT_THAT(refusal({{"images", npy("<i4", "(1, 2, 2)", raw<std::int32_t>({-5, 0, 1, 70000}))}}),
              HasSubstr("from -5 to 70000"));
  EXPECT_THAT(refusal({{"images", npy("<f4", "(1, 2, 2)", raw<float>({0, 0, 1, std::nanf("")}))}}),
              HasSubstr("not finite"));
  EXPECT_THAT(refusal({{"images", npy("|u1", "(4, 16)", ramp(64))}}), HasSubstr("reshape them"));
}

TEST_F(NpzArrays, OfTheTestSplitAreScaledLikeTheTrainingImages) {
  const auto test = load({{"x_train", npy("<f4", "(1, 2, 2)", raw<float>({-1, 0, 1, 0}))},
                          {"x_test", npy("<f4", "(1, 2, 2)", raw<float>({0, 0, 1, 1.5f}))}},
                         Split::test);
  EXPECT_TRUE(torch::equal(test->images.flatten(), torch::tensor({128, 128, 255, 255}).to(torch::kByte)));
  EXPECT_THAT(test->warnings, Contains(HasSubstr("1 value of x_test is outside the range")));
}

TEST_F(NpzArrays, AreNamedInTheMessageIfTheirOwnRangeIsUnsuitable) {
  const auto bad = npy("<f4", "(1, 2, 2)", raw<float>({-2.1f, 0, 1, 2.6f})),
             good = npy("<f4", "(1, 2, 2)", raw<float>({0, 0.5, 1, 0}));
  const auto message = [&](const std::string& train, const std::string& test) {
    return message_of<DataError>([&] { load({{"x_train", train}, {"x_test", test}}, Split::test); });
  };
  EXPECT_THAT(message(bad, good), HasSubstr("x_train contains values from -2.1 to 2.6"));
  EXPECT_THAT(message(four_images(), bad), HasSubstr("x_test contains values from -2.1 to 2.6"));
}

TEST_F(NpzArrays, OfIntegersAreScaledByAFixedRangeAndClippedIfTheyAreComparedWithOthers) {
  const auto deep = npy("<u2", "(1, 2, 2)", raw<std::uint16_t>({0, 1000, 500, 8}));
  EXPECT_EQ(load({{"images", deep}})->deep_bits, 10);
  const auto bytes = [](const std::vector<int>& values) { return torch::tensor(values, torch::kInt).to(torch::kByte); };
  config_.fixed_bits = 12;
  const auto scaled = load({{"images", deep}});
  EXPECT_EQ(scaled->deep_bits, 12);
  EXPECT_TRUE(torch::equal(scaled->images.flatten(), bytes({0, 62, 31, 0})));
  EXPECT_THAT(scaled->notes, Contains(HasSubstr("4095 is white, as in the other set of images")));
  config_.fixed_bits = 8;
  const auto clipped = load({{"x_train", deep}, {"x_test", deep}}, Split::test);
  EXPECT_TRUE(torch::equal(clipped->images.flatten(), bytes({0, 255, 255, 8})));
  EXPECT_THAT(clipped->warnings, Contains("2 values of x_test are outside the range of the other set of images "
                                          "and are clipped"));
  config_.fixed_bits = 12;
  const auto small = load({{"images", npy("<u2", "(1, 2, 2)", raw<std::uint16_t>({0, 200, 255, 8}))}});
  EXPECT_THAT(small->warnings, Contains(HasSubstr("if the values are bytes, store them as uint8")));
  // The fixed range affects neither bytes nor floating-point numbers.
  EXPECT_EQ(load({{"images", four_images()}})->deep_bits, 0);
  const auto reals = load({{"images", npy("<f4", "(1, 2, 2)", raw<float>({0, 0.5, 1, 0.25}))}});
  EXPECT_TRUE(torch::equal(reals->images.flatten(), bytes({0, 128, 255, 64})));
}

TEST_F(NpzArrays, MayBeChannelsFirstOrInFortranOrder) {
  const auto last = load({{"images", npy("|u1", "(2, 5, 4, 3)", ramp(120))}})->images;
  ASSERT_EQ(last.sizes(), (torch::IntArrayRef{2, 3, 5, 4}));
  const auto first = load({{"images", npy("|u1", "(2, 3, 5, 4)", ramp(120))}})->images;
  EXPECT_TRUE(torch::equal(first.flatten(), torch::arange(120).to(torch::kByte)));
  const auto gray = load({{"images", npy("|u1", "(2, 1, 5, 4)", ramp(40))}})->images;
  ASSERT_EQ(gray.sizes(), (torch::IntArrayRef{2, 1, 5, 4}));
  const auto reversed = load({{"images", npy("|u1", "(2, 5, 4)", ramp(40), "True")}})->images;
  ASSERT_EQ(reversed.sizes(), (torch::IntArrayRef{2, 1, 5, 4}));
  EXPECT_TRUE(torch::equal(reversed.squeeze(1).permute({2, 1, 0}).flatten(), torch::arange(40).to(torch::kByte)));
}

TEST_F(NpzArrays, WithAlphaAreCompositedOnTheBackground) {
  const std::string pixels =
      "\x64\x64\x64\xff"
      "\x64\x64\x64" +
      std::string(1, '\0');
  const Arrays arrays = {{"images", npy("|u1", "(1, 2, 1, 4)", pixels)}};
  const auto shown = [&](const std::string& background) {
    config_.background = background;
    const auto dataset = load(arrays);
    EXPECT_EQ(dataset->channels(), 3);
    EXPECT_EQ(dataset->images[0][0][0][0].item<int>(), 100);
    EXPECT_THAT(dataset->notes, Contains(HasSubstr("1 of 1 images has transparent pixels")));
    return dataset->images.index({0, torch::indexing::Slice(), 1, 0}).to(torch::kInt);
  };
  EXPECT_TRUE(torch::equal(shown("white"), torch::tensor({255, 255, 255}, torch::kInt)));
  EXPECT_TRUE(torch::equal(shown("black"), torch::tensor({0, 0, 0}, torch::kInt)));
  EXPECT_TRUE(torch::equal(shown("#10ff07"), torch::tensor({16, 255, 7}, torch::kInt)));
  EXPECT_TRUE(torch::equal(shown("none"), torch::tensor({100, 100, 100}, torch::kInt)));
}

TEST_F(NpzArrays, HaveLabelsInManyForms) {
  const auto labels = [&](const std::string& array) { return load({{"images", four_images()}, {"labels", array}}); };
  const auto expected = torch::tensor({2, 0, 1, 0}, torch::kLong);
  for (const auto& array :
       {npy("<i8", "(4, 1)", raw<std::int64_t>({2, 0, 1, 0})), npy("<f4", "(4,)", raw<float>({2, 0, 1, 0})),
        npy(">i4", "(4,)", std::string("\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0", 16)),
        npy("<f8", "(4, 3)", raw<double>({0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0})),
        npy("|u1", "(4, 3)", std::string("\0\1\0\1\0\0\1\0\1\0\0\0", 12), "True")}) {
    EXPECT_TRUE(torch::equal(labels(array)->labels, expected)) << labels(array)->labels;
  }
  const auto named = labels(npy("|S3", "(4,)", std::string("dogant\0\0\0ant", 12)));
  EXPECT_THAT(named->class_names, ElementsAre("", "ant", "dog"));
  EXPECT_TRUE(torch::equal(named->labels, torch::tensor({2, 1, 0, 1}, torch::kLong)));
  const auto unicode = labels(npy("<U1", "(4,)", raw<std::uint32_t>({0xe9, 'a', 0x732b, 'a'})));
  EXPECT_THAT(unicode->class_names, ElementsAre("a", "\u00e9", "\u732b"));
}

TEST_F(NpzArrays, OfUnknownOriginAreReadOrRejected) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SLOPEGAN_SOURCE_DIR "/tests/fuzz/corpus/npy_array")) {
    const std::string bytes = read_bytes(entry.path());
    for (const std::string name : {"images", "labels"}) {
      SCOPED_TRACE(entry.path());
      Arrays arrays_of_file = {{"images", four_images()}};
      arrays_of_file[name] = bytes;
      try {
        const auto dataset = load(arrays_of_file);
        EXPECT_TRUE(dataset->images.is_contiguous());
        EXPECT_TRUE(!dataset->has_labels() || dataset->labels.numel() == dataset->size());
      } catch (const DataError& error) {
        EXPECT_THAT(error.what(), HasSubstr("data.npz, images"));
      }
      ++count;
    }
  }
  EXPECT_GE(count, 10);
}

TEST_F(NpzArrays, HaveTheClassesOfTheTrainingImagesInBothSplits) {
  const auto two = npy("|u1", "(2, 2, 2)", ramp(8));
  const auto test = [&](const std::string& labels) {
    return load({{"x_train", two}, {"y_train", npy("|S1", "(2,)", "ca")}, {"x_test", two}, {"y_test", labels}},
                Split::test);
  };
  const auto known = test(npy("|S1", "(2,)", "cc"));
  EXPECT_TRUE(torch::equal(known->labels, torch::tensor({1, 1}, torch::kLong)));
  const auto unknown = test(npy("|S1", "(2,)", "cb"));
  EXPECT_FALSE(unknown->has_labels());
  EXPECT_THAT(unknown->warnings, Contains("y_test contains 'b', which is not the label of any training image; the "
                                          "images are used without labels"));
  const auto several = load({{"x_train", two},
                             {"y_train", npy("|S1", "(2, 2)", "caac")},
                             {"x_test", two},
                             {"y_test", npy("|S1", "(2,)", "ca")}},
                            Split::test);
  EXPECT_FALSE(several->has_labels());
  EXPECT_THAT(several->warnings, Contains(AllOf(HasSubstr("y_train has the shape"), HasSubstr("several strings"),
                                                HasSubstr("the images are used without labels"))));
}

}  // namespace
}  // namespace slopegan
