#include "data/packed_images.h"

#include <fstream>
#include <thread>

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "data/pack_file.h"
#include "data/transform.h"
#include "expect_error.h"
#include "images/image_file.h"
#include "ordinary_permissions.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A folder of images with its own cache.
class PackedImagesTest : public ::testing::Test {
 protected:
  /// Writes `count` images of 8 x 8 pixels. The colour of image i encodes i.
  void add_images(int count) {
    for (int i = 0; i < count; ++i) {
      cv::imwrite(folder_ / name(i), cv::Mat(8, 8, CV_8UC3, cv::Scalar(i % 256, i / 256, 9)));
    }
  }
  static std::string name(int i) { return format_text("{:05}.png", i); }

  PackedImages pack(const PackOptions& options = {.pixels = {.resolution = 8}}) {
    return packed_images(list_folder(folder_.path()), options);
  }

  /// The files in the cache that have this extension.
  std::vector<fs::path> cached(const std::string& ending) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(cache_.path())) {
      if (entry.path().extension() == ending) found.push_back(entry.path());
    }
    return found;
  }

  /// A channel of the first pixel of image i. The channels are 9, i / 256 and i % 256.
  static int value(const PackedImages& packed, std::int64_t i, std::int64_t channel) {
    return packed.images[i][channel][0][0].item<int>();
  }

  const TemporaryDirectory folder_;
  const CacheDirectory cache_;
};

void flip_a_bit(const fs::path& file, std::int64_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(at, at < 0 ? std::ios::end : std::ios::beg);
  const int byte = stream.get();
  stream.seekp(at, at < 0 ? std::ios::end : std::ios::beg);
  stream.put(static_cast<char>(byte ^ 16));
}

TEST_F(PackedImagesTest, AreInTheOrderOfTheFilesAndFittedAsInTraining) {
  add_images(300);  // more than one chunk
  const auto packed = pack();
  ASSERT_EQ(packed.images.sizes(), (torch::IntArrayRef{300, 3, 8, 8}));
  EXPECT_TRUE(packed.images.is_contiguous());
  for (const std::int64_t i : {0, 1, 255, 256, 299}) {
    EXPECT_EQ(value(packed, i, 0), 9);
    EXPECT_EQ(value(packed, i, 1), i / 256);
    EXPECT_EQ(value(packed, i, 2), i % 256);
  }
  EXPECT_EQ(packed.hash, hash_images(packed.images));
  const auto larger = pack({.pixels = {.resolution = 32}});
  EXPECT_TRUE(torch::equal(larger.images[7], fit_to_resolution(read_image(folder_ / name(7)), 32, ImageFit::crop)));
}

TEST_F(PackedImagesTest, CanBeGray) {
  cv::imwrite(folder_ / "a.png", cv::Mat(8, 8, CV_8UC3, cv::Scalar(0, 0, 200)));
  cv::imwrite(folder_ / "b.png", cv::Mat(8, 8, CV_8UC1, cv::Scalar(77)));
  const auto gray = pack({.pixels = {.channels = 1, .resolution = 8}}), rgb = pack();
  EXPECT_EQ(gray.images.sizes(), (torch::IntArrayRef{2, 1, 8, 8}));
  EXPECT_NEAR(value(gray, 0, 0), 0.299 * 200, 1);
  EXPECT_EQ(value(rgb, 0, 0), 200);
  EXPECT_EQ(value(gray, 1, 0), 77);
  EXPECT_EQ(value(rgb, 1, 2), 77);
}

TEST_F(PackedImagesTest, AreDecodedOnce) {
  add_images(20);
  const auto first = pack();
  ASSERT_EQ(cached(".images").size(), 1u);
  const auto time = fs::last_write_time(cached(".images").front());
  EXPECT_TRUE(torch::equal(pack().images, first.images));
  EXPECT_EQ(fs::last_write_time(cached(".images").front()), time);
  EXPECT_TRUE(cached(".part").empty());
  EXPECT_TRUE(cached(".progress").empty());
}

TEST_F(PackedImagesTest, ArePackedAgainIfTheFolderChanges) {
  add_images(20);
  const auto before = pack();
  add_images(21);
  const auto after = pack();
  EXPECT_EQ(after.images.size(0), 21);
  EXPECT_EQ(cached(".images").size(), 1u);
  EXPECT_EQ(value(before, 19, 2), 19);  // existing mappings remain valid
}

TEST_F(PackedImagesTest, ArePackedAgainIfAnyByteIsDamaged) {
  add_images(20);
  const auto good = pack().images.clone();  // not mapped from the file that is damaged below
  const auto file = cached(".images").front();
  const auto size = static_cast<std::int64_t>(fs::file_size(file));
  for (const std::int64_t at : {std::int64_t{0}, std::int64_t{20 * 192 - 1}, std::int64_t{20 * 192 + 30},
                                std::int64_t{-1}, std::int64_t{-30}, size - 90}) {
    flip_a_bit(file, at);
    EXPECT_TRUE(torch::equal(pack().images, good)) << at;
  }
  for (const std::int64_t left : {std::int64_t{0}, std::int64_t{50}, size / 2, size - 1}) {
    fs::resize_file(file, static_cast<std::uintmax_t>(left));
    EXPECT_TRUE(torch::equal(pack().images, good)) << left;
  }
}

/// Packs only the first chunk, as if the process were killed after it.
void begin_packing(const FolderImages& folder, const fs::path& stem, int images) {
  PackWriter writer(stem, folder, {.pixels = {.resolution = 8}});
  PackedChunk chunk{.files = static_cast<std::size_t>(images), .images = {}, .unreadable = {}, .tally = {}};
  for (int i = 0; i < images; ++i) chunk.images.push_back(torch::full({3, 8, 8}, 123, torch::kByte));
  writer.add_chunk(chunk);
}

TEST_F(PackedImagesTest, IncludeTheChunksThatAKilledProcessPacked) {
  add_images(30);
  pack();
  const auto file = cached(".images").front();
  const auto stem = fs::path(file).replace_extension();
  const auto folder = list_folder(folder_.path());
  const auto packed_after = [&](const std::function<void()>& damage) {
    fs::remove(file);
    begin_packing(folder, stem, 10);
    damage();
    return pack();
  };
  const auto resumed = packed_after([] {});
  EXPECT_EQ(resumed.images.size(0), 30);
  EXPECT_EQ(value(resumed, 9, 0), 123);  // not decoded again
  EXPECT_EQ(value(resumed, 10, 2), 10);
  const auto part = stem.string() + ".part", progress = stem.string() + ".progress";
  EXPECT_EQ(value(packed_after([&] { flip_a_bit(part, 700); }), 9, 2), 9);
  EXPECT_EQ(value(packed_after([&] { fs::resize_file(part, 10 * 192 - 1); }), 9, 2), 9);
  EXPECT_EQ(value(packed_after([&] { fs::resize_file(progress, fs::file_size(progress) - 2); }), 9, 2), 9);
  EXPECT_EQ(value(packed_after([&] { fs::remove(part); }), 9, 2), 9);
  EXPECT_EQ(value(packed_after([&] { std::ofstream(part, std::ios::app) << "half an image"; }), 9, 0), 123);
  EXPECT_EQ(value(packed_after([&] { std::ofstream(progress, std::ios::app) << "{\"files\": 1"; }), 9, 0), 123);
}

TEST_F(PackedImagesTest, AreCompleteForConcurrentReaders) {
  add_images(300);
  std::vector<std::string> hashes(4);
  std::vector<std::thread> threads;
  for (auto& hash : hashes) threads.emplace_back([&] { hash = pack().hash; });
  for (auto& thread : threads) thread.join();
  for (const auto& hash : hashes) EXPECT_EQ(hash, pack().hash);
}

TEST_F(PackedImagesTest, SkipUnreadableFilesUpToTheAllowedFraction) {
  add_images(20);
  folder_.write(name(3), "no image");
  folder_.write(name(17), "");
  const PackOptions two_allowed{.pixels = {.resolution = 8}, .max_unreadable = 0.1};
  const auto packed = pack(two_allowed);
  EXPECT_EQ(packed.images.size(0), 18);
  EXPECT_EQ(value(packed, 3, 2), 4);
  for (const auto& again : {packed, pack(two_allowed)}) {  // also from the cache
    ASSERT_EQ(again.unreadable.size(), 2u);
    EXPECT_EQ(again.unreadable[0].index, 3u);
    EXPECT_THAT(again.unreadable[1].reason, HasSubstr(name(17)));
  }
  const auto message = [&](double allowed) {
    return message_of<DataError>([&] { pack({.pixels = {.resolution = 8}, .max_unreadable = allowed}); });
  };
  EXPECT_THAT(message(0), AllOf(HasSubstr("2 of 20 files"), HasSubstr(name(3)), HasSubstr("data.max_unreadable")));
  fs::remove_all(cache_.path() / "packed");
  EXPECT_THAT(message(0), AllOf(HasSubstr("2 of 20 files"), HasSubstr(name(3))));
  EXPECT_EQ(pack({.pixels = {.resolution = 8}, .max_unreadable = 0.01}).unreadable.size(),
            2u);  // up to five are allowed
  for (int i = 4; i < 8; ++i) folder_.write(name(i), "no image");
  EXPECT_THAT(message(0.05), HasSubstr("6 of 20 files"));
}

TEST_F(PackedImagesTest, AreCountedInTheLogWithoutUnreadableFiles) {
  add_images(20);
  folder_.write(name(3), "no image");
  folder_.write(name(17), "");
  ::testing::internal::CaptureStderr();
  log::init({});
  pack({.pixels = {.resolution = 8}, .max_unreadable = 0.1});
  log::init({});
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("packed 18 images in"));
}

TEST_F(PackedImagesTest, IncludeFilesThatCouldNotBeReadBeforeButCanBeReadNow) {
  add_images(30);
  const auto folder = list_folder(folder_.path());
  const PackOptions options{.pixels = {.resolution = 8}, .max_unreadable = 0.1};
  fs::remove(folder_ / name(4));  // causes an IoError, even for root
  const auto before = packed_images(folder, options);
  ASSERT_EQ(before.unreadable.size(), 1u);
  EXPECT_TRUE(before.unreadable[0].io_error);
  const auto file = cached(".images").front();
  const auto time = fs::last_write_time(file);
  EXPECT_EQ(packed_images(folder, options).images.size(0), 29);
  EXPECT_EQ(fs::last_write_time(file), time);  // still unreadable, so the pack is used
  const auto stem = fs::path(file).replace_extension();
  const auto interrupt = [&] {  // as if the process were killed after a chunk without image 4
    PackWriter writer(stem, folder, options);
    PackedChunk chunk{.files = 10, .images = {}, .unreadable = {{4, "cannot open it", false, true}}, .tally = {}};
    for (int i = 0; i < 9; ++i) chunk.images.push_back(torch::full({3, 8, 8}, 123, torch::kByte));
    writer.add_chunk(chunk);
  };
  fs::remove(file);
  interrupt();
  EXPECT_EQ(value(packed_images(folder, options), 0, 0), 123);  // continues after the chunk
  fs::remove(file);
  interrupt();
  cv::imwrite(folder_ / name(4), cv::Mat(8, 8, CV_8UC3, cv::Scalar(4, 0, 9)));
  const auto resumed = packed_images(folder, options);
  EXPECT_EQ(resumed.images.size(0), 30);
  EXPECT_EQ(value(resumed, 4, 2), 4);
  EXPECT_EQ(value(resumed, 0, 0), 9);
}

TEST_F(PackedImagesTest, IncludeAFileAfterItsPermissionsAreCorrected) {
  const OrdinaryPermissions permissions;
  if (!permissions.apply()) GTEST_SKIP() << "capabilities cannot be removed";
  const int threads = at::get_num_threads();
  at::set_num_threads(1);  // so that this thread, whose capabilities were removed, reads the files
  add_images(20);
  const PackOptions options{.pixels = {.resolution = 8}, .max_unreadable = 0.1};
  fs::permissions(folder_ / name(3), fs::perms::none);
  EXPECT_EQ(pack(options).images.size(0), 19);
  fs::permissions(folder_ / name(3), fs::perms::owner_read);
  EXPECT_EQ(pack(options).images.size(0), 20);
  EXPECT_TRUE(pack(options).unreadable.empty());
  at::set_num_threads(threads);
}

TEST_F(PackedImagesTest, HaveOnePackForEachSplitEvenInOneFolder) {
  for (const char* directory : {"trainA", "trainB", "testA", "testB"}) {
    fs::create_directory(folder_ / directory);
    cv::imwrite(folder_ / (std::string(directory) + "/a.png"), cv::Mat(8, 8, CV_8UC3, cv::Scalar(1, 2, 3)));
  }
  const auto train = list_folder(folder_.path()), test = list_test_folder(folder_.path(), train);
  const auto pack_both = [&] {
    EXPECT_EQ(packed_images(train, {.pixels = {.resolution = 8}}).images.size(0), 2);
    EXPECT_EQ(packed_images(test, {.pixels = {.resolution = 8}, .range_of = &train}).images.size(0), 2);
  };
  pack_both();
  ASSERT_EQ(cached(".images").size(), 2u);
  std::vector<fs::file_time_type> times;
  for (const auto& file : cached(".images")) times.push_back(fs::last_write_time(file));
  pack_both();
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(fs::last_write_time(cached(".images")[i]), times[i]);
}

TEST_F(PackedImagesTest, HaveAPackForEachFixedRangeThatChangesThem) {
  add_images(2);
  const auto packs = [&](int fixed_bits) {
    const auto packed = pack({.pixels = {.resolution = 8}, .fixed_bits = fixed_bits});
    EXPECT_EQ(packed.images.size(0), 2 + static_cast<std::int64_t>(fs::exists(folder_ / "deep.png")));
    return cached(".images").size();
  };
  EXPECT_EQ(packs(0), 1u);
  EXPECT_EQ(packs(12), 1u);  // no image has 16 bits
  cv::imwrite(folder_ / "deep.png", cv::Mat(8, 8, CV_16UC1, cv::Scalar(4000)));
  EXPECT_EQ(packs(0), 1u);
  EXPECT_EQ(packs(12), 1u);  // the same range
  EXPECT_EQ(packs(14), 2u);
  EXPECT_EQ(packs(14), 2u);
  EXPECT_EQ(pack().deep_bits, 12);
}

TEST_F(PackedImagesTest, AreRejectedIfNoFileIsReadable) {
  folder_.write("a.png", "no image");
  EXPECT_THAT(message_of<DataError>([&] { pack({.pixels = {.resolution = 8}, .max_unreadable = 1}); }),
              HasSubstr("the only file cannot be used"));
}

TEST_F(PackedImagesTest, NeedAWritableCache) {
  add_images(2);
  const CacheDirectory nowhere("/dev/null/cache");
  EXPECT_THAT(message_of<IoError>([&] { pack(); }), AllOf(HasSubstr("/dev/null"), HasSubstr("SLOPEGAN_CACHE")));
}

/// The anonymous memory of this process in KiB. Unlike mapped files, it cannot be reclaimed by the system.
long anonymous_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib;
  }
  return -1;
}

TEST_F(PackedImagesTest, UseDiskSpaceInsteadOfMemory) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer retains freed memory";
#endif
  add_images(3000);
  PackedImages warm = pack({.pixels = {.resolution = 8}});  // warms up allocators and thread pools
  const long before = anonymous_kib();
  if (before < 0) GTEST_SKIP() << "this system does not report anonymous memory";
  const auto packed = pack({.pixels = {.resolution = 64}});
  EXPECT_EQ(packed.images.nbytes(), 3000u * 3 * 64 * 64);  // 35 MiB
  EXPECT_LT(anonymous_kib() - before, 12 << 10);
}

}  // namespace
}  // namespace slopegan
