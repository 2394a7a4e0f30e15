#include "data/folder_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/folder_files.h"
#include "expect_error.h"
#include "ordinary_permissions.h"
#include "support/errors.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ListImages, DetectsImagesByContentInsteadOfExtension) {
  const FolderOfFiles folder;
  folder.file("a.jfif");
  folder.file("b.JPG");
  folder.file("c/no_ending", png_bytes);
  folder.file("d.dat", png_bytes);
  folder.file("e.jpg", png_bytes);
  const auto listing = list_images(folder.path());
  EXPECT_THAT(listing.files, ElementsAre("a.jfif", "b.JPG", "c/no_ending", "d.dat", "e.jpg"));
  EXPECT_THAT(listing.notes, IsEmpty());
  EXPECT_THAT(listing.warnings, IsEmpty());
}

TEST(ListImages, RecordsWhetherThereAreBmpOrTiffFilesRegardlessOfTheirNames) {
  const FolderOfFiles folder;
  folder.file("a.bmp");
  folder.file("b.jpg", png_bytes);
  EXPECT_FALSE(list_images(folder.path()).has_bmp_or_tiff);
  folder.file("c.jpg", "BM" + std::string(12, '\0') + std::string("\x28\0\0\0", 4));
  EXPECT_TRUE(list_images(folder.path()).has_bmp_or_tiff);
  const FolderOfFiles scans;
  scans.file("a.png", std::string("II*\0\x08\0\0\0", 8));
  EXPECT_TRUE(list_images(scans.path()).has_bmp_or_tiff);
}

TEST(ListImages, ListsDamagedFilesThatAreNamedLikeImages) {
  const FolderOfFiles folder;
  folder.file("empty.png", "");
  folder.file("page.jpg", "<html>");
  EXPECT_THAT(list_images(folder.path()).files, ElementsAre("empty.png", "page.jpg"));
}

TEST(ListImages, CountsTheOtherFilesByExtension) {
  const FolderOfFiles folder;
  folder.file("a.jpg");
  for (int i = 0; i < 3; ++i) folder.file("h" + std::to_string(i) + ".HEIC", heic_bytes);
  folder.file("a.avif", avif_bytes);
  folder.file("renamed.jpg", heic_bytes);
  folder.file("raw.dng", std::string("II*\0", 4) + std::string(40, 'x'));
  folder.file("README", "text");
  const auto listing = list_images(folder.path());
  EXPECT_THAT(listing.files, ElementsAre("a.jpg"));
  EXPECT_THAT(listing.notes, ElementsAre(HasSubstr("7 other files are not read: 3 .heic, 1 .avif, 1 .dng, 1 .jpg "
                                                   "(actually HEIC), 1 without extension")));
}

TEST(ListImages, DistinguishesHeicAvifAndVideoFilesByTheirBrands) {
  const auto file_type = [](const std::string& brands) {  // the major brand, then the compatible ones
    const auto size = static_cast<char>(12 + brands.size());
    return std::string("\0\0\0", 3) + size + "ftyp" + brands.substr(0, 4) + std::string(4, '\0') + brands.substr(4);
  };
  const std::string after = std::string("\0\0\0\x20", 4) + "metaavif";  // not part of the box
  std::vector<std::pair<std::string, const char*>> cases = {
      {file_type("avismsf1"), "AVIF"},       {file_type("mif1mif1avif"), "AVIF"},
      {file_type("msf1avismsf1"), "AVIF"},   {file_type("mif1mif1heic"), "HEIC"},
      {file_type("mif1") + after, "HEIC"},   {file_type("isomisommp42"), "a video"},
      {file_type("mp42") + after, "a video"}};
  for (const char* brand : {"heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"}) {
    cases.emplace_back(file_type(brand), "HEIC");
  }
  for (const auto& [content, format] : cases) {
    const FolderOfFiles folder;
    folder.file("a.jpg", content);
    const auto listing = list_images(folder.path());
    EXPECT_THAT(listing.notes, ElementsAre(HasSubstr(std::string("1 .jpg (actually ") + format + ")"))) << content;
    EXPECT_EQ(listing.has_heic_or_avif, format != std::string("a video")) << content;
  }
}

TEST(ListImages, ExplainsHowToConvertHeicAndAvifFiles) {
  const std::string hint = "convert them to JPEG first, for example with heif-convert";
  const FolderOfFiles folder;
  folder.file("a.mov", "video");
  folder.file("b.jpg");
  EXPECT_THAT(list_images(folder.path()).notes, ElementsAre("1 other file is not read: 1 .mov"));
  for (const auto& content : {heic_bytes, avif_bytes}) {
    for (const char* name : {"photo", "photo.jpg", "photo.heic"}) {
      const FolderOfFiles photos;
      photos.file(name, content);
      EXPECT_THAT(message_of<DataError>([&] { list_some_images(photos.path()); }), HasSubstr(hint)) << name;
      photos.file("other.jpg");
      EXPECT_THAT(list_images(photos.path()).notes, ElementsAre(HasSubstr(hint))) << name;
    }
  }
}

TEST(ListImages, ReportsWhatAFolderWithoutImagesContains) {
  const FolderOfFiles folder;
  EXPECT_THAT(message_of<DataError>([&] { list_some_images(folder.path()); }), HasSubstr("images; it is empty"));
  folder.file("a.heic", heic_bytes);
  folder.file("b.heic", heic_bytes);
  folder.file("c.mov", "video");
  EXPECT_THAT(message_of<DataError>([&] { list_some_images(folder.path()); }),
              AllOf(HasSubstr("contains no PNG, JPEG, WebP, BMP, TIFF or GIF images"),
                    HasSubstr("3 other files are not read: 2 .heic, 1 .mov")));
  EXPECT_THAT(message_of<DataError>([&] { list_some_images(folder.path("missing")); }), HasSubstr("No such file"));
}

TEST(ListImages, FollowsSymlinksToDirectoriesAndListsEachDirectoryOnce) {
  const FolderOfFiles elsewhere, folder;
  elsewhere.file("x.jpg");
  folder.file("real/a.jpg");
  folder.link("real", "alias");
  fs::create_directory_symlink(elsewhere.path(), folder.path("best"));
  fs::create_directory_symlink(elsewhere.path(), folder.path("best_too"));
  fs::create_symlink(elsewhere.path("x.jpg"), folder.path("linked.jpg"));
  const auto listing = list_images(folder.path());
  EXPECT_THAT(listing.files, ElementsAre("best/x.jpg", "linked.jpg", "real/a.jpg"));
  EXPECT_THAT(listing.notes,
              ElementsAre("followed symlinks to directories: best",
                          "symlinks that are not followed, because they lead to a directory that contains them or is "
                          "already listed: alias, best_too"));
}

TEST(ListImages, TerminatesIfSymlinksFormACycle) {
  const FolderOfFiles folder;
  folder.file("set/a.jpg");
  folder.link(".", "set/again");
  folder.link("set", "set/self");
  const FolderOfFiles other;
  fs::create_directory_symlink(other.path(), folder.path("other"));
  fs::create_directory_symlink(folder.path(), other.path("back"));
  other.file("b.jpg");
  EXPECT_THAT(list_images(folder.path("set")).files, ElementsAre("a.jpg"));
  EXPECT_THAT(list_images(folder.path()).files, ElementsAre("other/b.jpg", "set/a.jpg"));
}

TEST(ListImages, NamesBrokenSymlinks) {
  const FolderOfFiles folder;
  folder.file("a.jpg");
  folder.link("gone.jpg", "b.jpg");
  const auto listing = list_images(folder.path());
  EXPECT_THAT(listing.files, ElementsAre("a.jpg"));
  EXPECT_THAT(listing.warnings, ElementsAre("symlinks to files that do not exist: b.jpg"));
}

TEST(ListImages, CountsSymlinksToSpecialFilesAsSpecialFiles) {
  const FolderOfFiles folder;
  folder.file("a.jpg");
  folder.link("/dev/null", "b.jpg");
  const auto listing = list_images(folder.path());
  EXPECT_THAT(listing.files, ElementsAre("a.jpg"));
  EXPECT_THAT(listing.warnings, ::testing::Not(::testing::Contains(HasSubstr("do not exist"))));
  EXPECT_EQ(listing.other.at("of a special type"), 1);
}

TEST(ListImages, SkipsFilesLeftBehindByPrograms) {
  const FolderOfFiles folder;
  folder.file("a.jpg");
  for (const char* name :
       {"@eaDir/a.jpg", "__MACOSX/._a.jpg", ".thumbnails/a.jpg", ".ipynb_checkpoints/a.jpg", "lost+found/a.jpg",
        "$RECYCLE.BIN/a.jpg", "System Volume Information/a.jpg", "Thumbs.db", ".DS_Store", "._a.jpg", "desktop.ini"}) {
    folder.file(name);
  }
  const auto listing = list_images(folder.path());
  EXPECT_THAT(listing.files, ElementsAre("a.jpg"));
  EXPECT_EQ(listing.left_by_programs.size(), 11u);
  EXPECT_THAT(listing.notes, ElementsAre(AllOf(HasSubstr("hidden or were left behind by other programs"),
                                               HasSubstr("@eaDir"), HasSubstr("and 1 more"))));
}

TEST(ListImages, SkipsRunsAndSweepsOfThisProgram) {
  const FolderOfFiles folder;
  folder.file("a.jpg");
  for (const char* name : {"config.yaml", "overrides.yaml", "checkpoints/1/manifest.json", "reals.png"}) {
    folder.file(std::string("outputs/started/") + name);
  }
  for (const char* name : {"sweep.yaml", "runs/slope_0-seed_0/samples/1.png"}) {
    folder.file(std::string("sweep/") + name);
  }
  folder.file("recipes/config.yaml", "text");  // belongs to another program
  folder.file("recipes/b.jpg");
  const auto listing = list_images(folder.path());
  EXPECT_THAT(listing.files, ElementsAre("a.jpg", "recipes/b.jpg"));
  EXPECT_THAT(listing.notes, ElementsAre(HasSubstr("1 other file is not read"),
                                         "2 directories are skipped, because they are runs or sweeps of slopegan: "
                                         "outputs/started, sweep"));
  EXPECT_FALSE(holds_images(folder.path("outputs"), true));
  EXPECT_THAT(subdirectories(folder.path()), ElementsAre("outputs", "recipes"));
  EXPECT_THAT(list_images(folder.path("outputs/started")).files, Contains("reals.png"));
}

TEST(ListImages, WarnsAboutADirectoryWithoutReadPermission) {
  const FolderOfFiles folder;
  folder.file("a.jpg");
  folder.file("closed/b.jpg");
  const OrdinaryPermissions permissions;
  if (!permissions.apply()) GTEST_SKIP() << "capabilities cannot be removed";
  fs::permissions(folder.path("closed"), fs::perms::none);
  const auto listing = list_images(folder.path());
  fs::permissions(folder.path("closed"), fs::perms::all);
  EXPECT_THAT(listing.files, ElementsAre("a.jpg"));
  EXPECT_THAT(listing.warnings, ElementsAre(AllOf(HasSubstr("cannot list"), HasSubstr("closed: Permission denied"),
                                                  HasSubstr("its images are left out"))));
}

TEST(HoldsImages, LooksInSubdirectoriesIfAsked) {
  const FolderOfFiles folder;
  folder.file("notes/readme.txt", "text");
  folder.file("deep/er/a.jpg");
  EXPECT_FALSE(holds_images(folder.path("notes"), true));
  EXPECT_FALSE(holds_images(folder.path("deep"), false));
  EXPECT_TRUE(holds_images(folder.path("deep"), true));
}

}  // namespace
}  // namespace slopegan
