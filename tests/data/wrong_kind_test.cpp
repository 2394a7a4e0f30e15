#include "data/wrong_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/enums.h"
#include "data/dataset.h"
#include "data/file_writers.h"
#include "expect_error.h"
#include "images/image_file.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class WrongKind : public ::testing::Test {
 protected:
  fs::path folder(const std::string& name) {
    fs::create_directories(directory_ / name);
    return directory_ / name;
  }
  std::string refusal(DatasetKind kind, const fs::path& path) {
    DataConfig config;
    config.kind = kind;
    config.path = path.string();
    return message_of<DataError>([&] { load_dataset(config, Split::train); });
  }
  const CacheDirectory cache_;
  const TemporaryDirectory directory_;
};

TEST_F(WrongKind, SuggestsTheRightKindForAllPairsOfKinds) {
  write_bytes(folder("idx") / "train-images-idx3-ubyte", idx_header({3, 2, 2}) + ramp(12));
  write_bytes(folder("cifar/cifar-10-batches-bin") / "data_batch_1.bin", std::string(3073, '\1'));
  write_png(folder("photos/sub") / "a.png", cv::Mat(8, 8, CV_8UC3, cv::Scalar(1, 2, 3)));
  write_zip(folder("arrays") / "a.npz", {{"images.npy", npy("|u1", "(3, 2, 2)", ramp(12))}});
  const std::vector<std::pair<DatasetKind, fs::path>> all = {{DatasetKind::idx, directory_ / "idx"},
                                                             {DatasetKind::cifar, directory_ / "cifar"},
                                                             {DatasetKind::image_folder, directory_ / "photos"},
                                                             {DatasetKind::npz, directory_ / "arrays/a.npz"}};
  ASSERT_EQ(all.size(), enum_values<DatasetKind>.size()) << "a new kind needs an example, and a case in wrong_kind.cpp";
  for (const auto& [right, path] : all) {
    for (const auto kind : enum_values<DatasetKind>) {
      if (kind == right) continue;
      EXPECT_THAT(refusal(kind, path), AllOf(HasSubstr(path.string()), HasSubstr("did you mean data.kind="),
                                             HasSubstr("data.kind=" + std::string(name_of(right)) + "?")))
          << name_of(kind) << " for " << name_of(right);
    }
  }
  EXPECT_THAT(refusal(DatasetKind::idx, directory_ / "arrays"),
              HasSubstr("data.kind=npz data.path=" + (directory_ / "arrays/a.npz").string()));
}

TEST_F(WrongKind, SuggestsTheRightKindForOneFile) {
  write_png(folder("photos") / "a.png", cv::Mat(8, 8, CV_8UC3, cv::Scalar(1, 2, 3)));
  EXPECT_THAT(refusal(DatasetKind::image_folder, directory_ / "photos/a.png"),
              HasSubstr("is a single image; a folder of images is expected; did you mean data.path=" +
                        (directory_ / "photos").string()));
  write_bytes(directory_ / "digits", idx_header({3, 2, 2}) + ramp(12));
  EXPECT_THAT(refusal(DatasetKind::npz, directory_ / "digits"), HasSubstr("did you mean data.kind=idx?"));
}

TEST_F(WrongKind, NamesWhatHasToBeUnpackedOrConverted) {
  const auto file = [&](const std::string& name, const std::string& bytes) {
    write_bytes(directory_ / name, bytes + std::string(600, ' '));
    return directory_ / name;
  };
  std::string tar(600, 'x');
  tar.replace(257, 5, "ustar");
  write_gz(directory_ / "a.tar.gz", tar);
  write_zip(directory_ / "a.zip", {{"a.png", "image"}});
  for (const auto kind : enum_values<DatasetKind>) {
    EXPECT_THAT(refusal(kind, directory_ / "a.tar.gz"), HasSubstr("is an archive; unpack it"));
    EXPECT_THAT(refusal(kind, directory_ / "a.zip"), HasSubstr("is an archive; unpack it"));
    EXPECT_THAT(refusal(kind, file("a.tar", tar)), HasSubstr("is an archive; unpack it"));
    EXPECT_THAT(refusal(kind, file("a.npy", npy("|u1", "(3, 2, 2)", ramp(12)))), HasSubstr("numpy.savez"));
    EXPECT_THAT(refusal(kind, file("a.h5", "\x89HDF\r\n")), HasSubstr("HDF5"));
    EXPECT_THAT(refusal(kind, file("a.parquet", "PAR1")), HasSubstr("Parquet"));
    EXPECT_THAT(refusal(kind, file("data_batch_1", "\x80\x02}q")), HasSubstr("pickled"));
  }
  fs::copy_file(directory_ / "a.zip", folder("downloads") / "images.zip");
  EXPECT_THAT(refusal(DatasetKind::image_folder, directory_ / "downloads"),
              HasSubstr("contains an archive, images.zip"));
}

TEST_F(WrongKind, ExplainsHowToConvertHeicAndAvifImages) {
  const auto photo = folder("phone") / "photo.heic";
  for (const char* brand : {"heic", "avif"}) {
    write_bytes(photo, std::string("\0\0\0\x18", 4) + "ftyp" + brand + std::string(600, ' '));
    for (const auto kind : enum_values<DatasetKind>) {
      EXPECT_THAT(refusal(kind, directory_ / "phone"), HasSubstr("to JPEG first, for example with heif-convert"));
      EXPECT_THAT(refusal(kind, photo), HasSubstr("to JPEG first, for example with heif-convert"));
    }
    EXPECT_THAT(refusal(DatasetKind::idx, directory_ / "phone"), HasSubstr("did you mean data.kind=image_folder?"));
  }
}

TEST_F(WrongKind, IsNotReportedForTheRightKindOrMissingData) {
  write_bytes(folder("idx") / "train-images-idx3-ubyte", "damaged");
  EXPECT_EQ(wrong_kind_message(DatasetKind::idx, directory_ / "idx"), "");
  EXPECT_EQ(wrong_kind_message(DatasetKind::idx, directory_ / "missing"), "");
  EXPECT_EQ(wrong_kind_message(DatasetKind::idx, folder("empty")), "");
}

}  // namespace
}  // namespace slopegan
