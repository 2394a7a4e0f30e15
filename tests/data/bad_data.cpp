#include "data/bad_data.h"

#include <sys/stat.h>

#include <opencv2/imgcodecs.hpp>

#include "data/file_writers.h"
#include "support/text.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;

// --- IDX -------------------------------------------------------------------------------------------------------------

constexpr auto images_name = "train-images-idx3-ubyte";
constexpr auto labels_name = "train-labels-idx1-ubyte";
const std::string good_idx_images = idx_header({12, 4, 4}) + ramp(192);
const std::string good_idx_labels = idx_header({12}) + ramp(12);

std::string gz_name(const std::string& name) { return format_text("{}.gz", name); }

/// The good data set with one file replaced.
BadData bad_idx(const std::string& what, const std::string& file,
                const std::function<void(const fs::path& directory)>& replace) {
  return {"idx: " + what, "idx", ".", file, [=](const fs::path& directory) {
            write_good_idx(directory);
            replace(directory);
          }};
}

struct Content {
  const char* what;
  std::string bytes;
};

std::vector<Content> bad_images() {
  constexpr std::uint32_t largest = 0xffffffff;
  return {{"empty", ""},
          {"one byte", good_idx_images.substr(0, 1)},
          {"half a magic number", good_idx_images.substr(0, 2)},
          {"only a magic number", good_idx_images.substr(0, 4)},
          {"a header without its last byte", good_idx_images.substr(0, 15)},
          {"only a header", good_idx_images.substr(0, 16)},
          {"one byte too few", good_idx_images.substr(0, good_idx_images.size() - 1)},
          {"one byte too many", good_idx_images + 'x'},
          {"everything twice", good_idx_images + good_idx_images},
          {"a PNG", "\x89PNG\r\n\x1a\n and so on and so on"},
          {"text", "not images, whatever its name says, and long enough for a header\n"},
          {"zeros", std::string(1000, '\0')},
          {"signed bytes", idx_header({12, 4, 4}, 0x09) + ramp(192)},
          {"floats", idx_header({12, 4, 4}, 0x0d) + ramp(768)},
          {"labels", good_idx_labels},
          {"four dimensions", idx_header({12, 1, 4, 4}) + ramp(192)},
          {"255 dimensions", std::string("\0\0\x08\xff", 4) + std::string(1020, '\1')},
          {"little-endian", std::string("\3\x08\0\0\x0c\0\0\0\4\0\0\0\4\0\0\0", 16) + ramp(192)},
          {"no images", idx_header({0, 4, 4})},
          {"no height", idx_header({12, 0, 4})},
          {"a width of 2^32-1", idx_header({12, 4, largest}) + ramp(192)},
          {"a count of 2^32-1", idx_header({largest, 4, 4}) + ramp(192)},
          {"a product of 0 modulo 2^64", idx_header({0x80000000, 0x80000000, 4}) + ramp(192)},
          {"a product of 192 modulo 2^32", idx_header({0x1000000c, 4, 4}) + ramp(192)},
          {"all sizes 2^32-1", idx_header({largest, largest, largest}) + ramp(192)},
          {"8 GiB", idx_header({512, 4096, 4096}) + ramp(192)},
          {"one image more than present", idx_header({13, 4, 4}) + ramp(192)},
          {"one image fewer than present", idx_header({11, 4, 4}) + ramp(192)}};
}

std::vector<Content> bad_labels() {
  return {{"empty", ""},
          {"only a header", good_idx_labels.substr(0, 8)},
          {"half a header", good_idx_labels.substr(0, 6)},
          {"one byte too few", good_idx_labels.substr(0, good_idx_labels.size() - 1)},
          {"one byte too many", good_idx_labels + 'x'},
          {"one label more than images", idx_header({13}) + ramp(13)},
          {"one label fewer than images", idx_header({11}) + ramp(11)},
          {"no labels", idx_header({0})},
          {"a count of 2^32-1", idx_header({0xffffffff}) + ramp(12)},
          {"images", good_idx_images},
          {"integers of four bytes", idx_header({12}, 0x0c) + ramp(48)}};
}

/// The good data set with its images replaced by a gzip file of `bytes`. `change` modifies the gzip file.
BadData damaged_gz(const std::string& what, const std::string& bytes, const std::function<void(std::string&)>& change) {
  const std::string name = gz_name(images_name);
  return bad_idx("gzip: " + what, name, [=](const fs::path& directory) {
    fs::remove(directory / images_name);
    write_gz(directory / name, bytes);
    std::string content = read_bytes(directory / name);
    change(content);
    write_bytes(directory / name, content);
  });
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

/// A gzip member of 16 MiB of zeros, compressed to 16 KiB.
std::string zeros_member(const fs::path& scratch) {
  write_gz(scratch, std::string(16 << 20, '\0'));
  const std::string member = read_bytes(scratch);
  fs::remove(scratch);
  return member;
}

/// The good data set with the file `of` replaced by a gzip file of one megabyte that decompresses to `header` and a
/// gibibyte of zeros.
BadData bomb(const std::string& what, const char* of, const std::string& header) {
  const std::string name = gz_name(of);
  return bad_idx("gzip: " + what, name, [=](const fs::path& directory) {
    fs::remove(directory / of);
    write_gz(directory / name, header);
    write_bytes(directory / name, read_bytes(directory / name) + repeated(zeros_member(directory / "z"), 64));
  });
}

void add_gzipped_idx(std::vector<BadData>& all) {
  const auto add = [&](const char* what, const std::function<void(std::string&)>& change) {
    all.push_back(damaged_gz(what, good_idx_images, change));
  };
  add("only a header", [](std::string& gz) { gz.resize(10); });
  add("half", [](std::string& gz) { gz.resize(gz.size() / 2); });
  add("no checksum", [](std::string& gz) { gz.resize(gz.size() - 8); });
  add("half a checksum", [](std::string& gz) { gz.resize(gz.size() - 6); });
  add("a wrong checksum", [](std::string& gz) { gz[gz.size() - 8] ^= 1; });
  add("a wrong length", [](std::string& gz) { gz[gz.size() - 1] ^= 1; });
  add("an unknown compression method", [](std::string& gz) { gz[2] = 7; });
  add("reserved flags", [](std::string& gz) { gz[3] = static_cast<char>(0xe0); });
  add("a reserved block type", [](std::string& gz) { gz[10] = static_cast<char>(0xff); });
  add("a flipped bit in its data", [](std::string& gz) { gz[40] ^= 4; });
  add("a second member with more images", [](std::string& gz) { gz += gz; });
  all.push_back(bomb("a bomb after a small header", images_name, idx_header({12, 4, 4})));
  all.push_back(bomb("a bomb of images", images_name, idx_header({64, 4096, 4096})));
  all.push_back(bomb("a bomb of almost 8 GiB", images_name, idx_header({511, 4096, 4096})));
}

void add_other_than_files(std::vector<BadData>& all, const char* name) {
  const auto add = [&](const char* what, const std::function<void(const fs::path&)>& make) {
    all.push_back(bad_idx(std::string(name) + ": " + what, name, [=](const fs::path& directory) {
      fs::remove(directory / name);
      make(directory / name);
    }));
  };
  add("a directory", [](const fs::path& path) { fs::create_directory(path); });
  add("a pipe", [](const fs::path& path) { ::mkfifo(path.c_str(), 0600); });
  add("a symlink to itself", [](const fs::path& path) { fs::create_symlink(path.filename(), path); });
  add("a symlink to nothing", [](const fs::path& path) { fs::create_symlink("nothing", path); });
  add("a symlink to a device", [](const fs::path& path) { fs::create_symlink("/dev/zero", path); });
  add("a symlink to an unreadable file", [](const fs::path& path) { fs::create_symlink("/proc/self/mem", path); });
  add("a file without permission", [](const fs::path& path) {
    write_bytes(path, good_idx_images);
    fs::permissions(path, fs::perms::none);
  });
  all.back().is_good_for_root = true;
}

void add_plain_and_gzipped(std::vector<BadData>& all, const std::string& name, const Content& content) {
  all.push_back(bad_idx(name + ": " + content.what, name,
                        [=](const fs::path& directory) { write_bytes(directory / name, content.bytes); }));
  all.push_back(bad_idx(gz_name(name) + ": " + content.what, gz_name(name), [=](const fs::path& directory) {
    fs::remove(directory / name);
    write_gz(directory / gz_name(name), content.bytes);
  }));
}

void add_idx(std::vector<BadData>& all) {
  for (const auto& content : bad_images()) add_plain_and_gzipped(all, images_name, content);
  add_gzipped_idx(all);
  add_other_than_files(all, images_name);
}

void add_idx_labels(std::vector<BadData>& all) {
  for (const auto& content : bad_labels()) add_plain_and_gzipped(all, labels_name, content);
  all.push_back(bomb("a bomb of labels", labels_name, idx_header({1 << 30})));
  all.push_back(bomb("a bomb of 2^32-1 labels", labels_name, idx_header({0xffffffff})));
  add_other_than_files(all, labels_name);
}

// --- npz, CIFAR, folders ---------------------------------------------------------------------------------------------

constexpr auto npz_name = "data.npz";
const std::string good_values = ramp(192), good_classes = ramp(12);

using Entries = std::map<std::string, std::string>;

Entries good_arrays() {
  return {{"train_images.npy", npy("|u1", "(12, 4, 4)", good_values)},
          {"train_labels.npy", npy("|u1", "(12, 1)", good_classes)}};
}

BadData bad_npz(const std::string& what, const std::function<void(const fs::path& file)>& write) {
  return {"npz: " + what, "npz", npz_name, npz_name, [=](const fs::path& directory) { write(directory / npz_name); }};
}

/// The good arrays, with one of them replaced.
BadData bad_array(const std::string& what, const std::string& name, const std::string& bytes) {
  Entries entries = good_arrays();
  entries[name + ".npy"] = bytes;
  return bad_npz(name + ": " + what, [=](const fs::path& file) { write_zip(file, entries); });
}

void add_arrays(std::vector<BadData>& all) {
  const auto images = [&](const std::string& what, const std::string& bytes) {
    all.push_back(bad_array(what, "train_images", bytes));
  };
  images("empty", "");
  images("text", "no array at all, but long enough for the header of one");
  images("only a header", npy("|u1", "(12, 4, 4)", ""));
  images("one byte too few", npy("|u1", "(12, 4, 4)", good_values.substr(1)));
  images("one byte too many", npy("|u1", "(12, 4, 4)", good_values + "x"));
  images("floats in an unsupported range", npy("<f4", "(12, 2, 2)", good_values));
  images("negative bytes", npy("|i1", "(12, 4, 4)", good_values));
  images("complex numbers", npy("<c8", "(12, 2, 1)", good_values));
  images("numbers of 16 bytes", npy("<f16", "(3, 2, 2)", good_values));
  images("strings", npy("|S4", "(12, 2, 2)", good_values));
  images("strings of an excessive length", npy("<U99999999999999999999", "(12, 2, 2)", good_values));
  images("objects", npy("|O", "(12, 4, 4)", good_values));
  images("two dimensions", npy("|u1", "(12, 16)", good_values));
  images("volumes", npy("|u1", "(2, 2, 6, 8)", good_values));
  images("no images", npy("|u1", "(0, 4, 4)", ""));
  images("no width", npy("|u1", "(12, 4, 0)", ""));
  images("a side of 5,000", npy("|u1", "(1, 5000, 1)", std::string(5000, 'x')));
  images("a product of 0 modulo 2^64", npy("|u1", "(4294967296, 4294967296, 4)", good_values));
  images("a product of 0 modulo 2^64 with strings", npy("<U256", "(4294967296, 4194304)", good_values));
  images("2^40 images", npy("|u1", "(1099511627776, 4, 4)", good_values));
  images("a negative size", npy("|u1", "(-12, 4, 4)", good_values));
  images("an expression as the shape", npy("|u1", "(3 * 4, 4, 4)", good_values));
}

void add_array_labels(std::vector<BadData>& all) {
  const auto labels = [&](const std::string& what, const std::string& bytes) {
    all.push_back(bad_array(what, "train_labels", bytes));
  };
  labels("empty", "");
  labels("fractions", npy("<f8", "(12,)", ramp(96)));
  labels("one too few", npy("|u1", "(11, 1)", ramp(11)));
  labels("one too many", npy("|u1", "(13, 1)", ramp(13)));
  labels("a single number", npy("|u1", "()", "x"));
  labels("one byte too few", npy("|u1", "(12,)", ramp(11)));
  labels("objects", npy("|O", "(12,)", ramp(96)));
  labels("several per image", npy("|u1", "(12, 2)", ramp(24)));
  labels("images", npy("|u1", "(12, 2, 2)", ramp(48)));
  labels("several strings per image", npy("|S2", "(12, 2)", ramp(48)));
}

void add_archives(std::vector<BadData>& all) {
  const auto changed = [&](const std::string& what, const std::function<void(std::string&)>& change) {
    all.push_back(bad_npz(what, [=](const fs::path& file) {
      write_zip(file, good_arrays(), ZIP_CM_STORE);
      std::string bytes = read_bytes(file);
      change(bytes);
      write_bytes(file, bytes);
    }));
  };
  changed("empty", [](std::string& zip) { zip.clear(); });
  changed("half", [](std::string& zip) { zip.resize(zip.size() / 2); });
  changed("without its end", [](std::string& zip) { zip.resize(zip.size() - 22); });
  changed("without its last byte", [](std::string& zip) { zip.pop_back(); });
  changed("without its beginning", [](std::string& zip) { zip.erase(0, 50); });
  changed("a flipped bit in an image", [](std::string& zip) { zip[zip.find(good_values) + 20] ^= 4; });
  changed("a flipped bit in an image's header", [](std::string& zip) { zip[zip.find("descr") + 9] ^= 4; });
  changed("a wrong checksum", [](std::string& zip) { zip[zip.find("PK\1\2") + 16] ^= 1; });
  changed("text", [](std::string& zip) { zip = "not an archive, whatever its name says"; });
  changed("a gzip file", [](std::string& zip) {
    zip = std::string("\x1f\x8b\x08\0", 4) + zip;
    zip.resize(100);
  });
  all.push_back(bad_npz("no arrays", [](const fs::path& file) { write_zip(file, {{"notes.txt", "hello"}}); }));
  all.push_back(bad_npz("a bomb", [](const fs::path& file) {
    Entries entries = good_arrays();
    entries["train_images.npy"] = npy("|u1", "(512, 512, 512)", std::string(std::size_t{128} << 20, '\0'));
    write_zip(file, entries);
  }));
  all.push_back(bad_npz("a directory", [](const fs::path& file) { fs::create_directory(file); }));
  all.push_back(bad_npz("a pipe", [](const fs::path& file) { ::mkfifo(file.c_str(), 0600); }));
  all.push_back(bad_npz("missing", [](const fs::path&) {}));
}

std::string cifar_records(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(i % 10) + std::string(3072, static_cast<char>(i));
  return bytes;
}

void add_cifar(std::vector<BadData>& all) {
  constexpr auto third = "data_batch_3.bin";
  const auto add = [&](const std::string& what, const std::function<void(const fs::path& file)>& change) {
    all.push_back({"cifar: " + what, "cifar", ".", third, [=](const fs::path& directory) {
                     for (int i = 1; i <= 5; ++i) {
                       write_bytes(directory / format_text("data_batch_{}.bin", i), cifar_records(4));
                     }
                     fs::remove(directory / third);
                     change(directory / third);
                   }});
  };
  add("a missing batch", [](const fs::path&) {});
  add("an empty batch", [](const fs::path& file) { write_bytes(file, ""); });
  add("one byte too few", [](const fs::path& file) { write_bytes(file, cifar_records(4).substr(1)); });
  add("one byte too many", [](const fs::path& file) { write_bytes(file, cifar_records(4) + 'x'); });
  add("a damaged gzip file", [](const fs::path& file) { write_bytes(file, "\x1f\x8b\x08 and so on"); });
  add("a directory", [](const fs::path& file) { fs::create_directory(file); });
  add("a pipe", [](const fs::path& file) { ::mkfifo(file.c_str(), 0600); });
  add("a bomb", [](const fs::path& file) { write_gz(file, std::string(std::size_t{3073} << 15, '\0')); });
}

std::string image_bytes_of(const std::string& ending) {
  std::vector<unsigned char> bytes;
  cv::Mat image(40, 40, CV_8UC3);
  cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
  cv::imencode(ending, image, bytes);
  return {bytes.begin(), bytes.end()};
}

void add_folders(std::vector<BadData>& all) {
  const auto add = [&](const std::string& what, const std::string& name,
                       const std::function<void(const fs::path& file)>& write) {
    all.push_back({"image_folder: " + what, "image_folder", ".", name, [=](const fs::path& directory) {
                     for (int i = 0; i < 8; ++i) {
                       write_bytes(directory / format_text("good{}.png", i), image_bytes_of(".png"));
                     }
                     // Up to five damaged files are skipped.
                     for (int i = 0; i < 6; ++i) write(directory / (i == 0 ? name : format_text("{}_{}", i, name)));
                   }});
  };
  for (const std::string ending : {".png", ".jpg", ".webp"}) {
    add("half a " + ending + " file", "bad" + ending, [=](const fs::path& file) {
      const auto whole = image_bytes_of(ending);
      write_bytes(file, whole.substr(0, whole.size() / 2));
    });
    add("text in a " + ending + " file", "bad" + ending, [](const fs::path& file) { write_bytes(file, "no image"); });
    add("an empty " + ending + " file", "bad" + ending, [](const fs::path& file) { write_bytes(file, ""); });
  }
  const auto folder = [&](const std::string& what, const std::string& path, const std::string& named,
                          const std::function<void(const fs::path& directory)>& write) {
    all.push_back({"image_folder: " + what, "image_folder", path, named, write});
  };
  folder("without images", "none", "none", [](const fs::path& directory) { fs::create_directory(directory / "none"); });
  folder("missing", "missing", "missing", [](const fs::path&) {});
  folder("a file", "file.png", "file.png",
         [](const fs::path& directory) { write_bytes(directory / "file.png", image_bytes_of(".png")); });
}

}  // namespace

void write_good_idx(const fs::path& directory) {
  write_bytes(directory / images_name, good_idx_images);
  write_bytes(directory / labels_name, good_idx_labels);
}

std::vector<BadData> data_sets_with_bad_labels() {
  std::vector<BadData> all;
  add_idx_labels(all);
  add_array_labels(all);
  return all;
}

std::vector<BadData> bad_data_sets() {
  std::vector<BadData> all;
  add_idx(all);
  add_arrays(all);
  add_archives(all);
  add_cifar(all);
  add_folders(all);
  return all;
}

}  // namespace slopegan
