#include "data/bad_data.h"

#include <sys/stat.h>

#include <opencv2/imgcodecs.hpp>

#include "data/idx_writer.h"
#include "data/npz_writer.h"
#include "support/text.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;

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

void add_arrays(std::vector<BadData>& all) {
  const auto add = [&](const std::string& what, const std::string& name, const std::string& bytes) {
    Entries entries = good_arrays();
    entries[name + ".npy"] = bytes;
    all.push_back(bad_npz(name + ": " + what, [=](const fs::path& file) { write_zip(file, entries); }));
  };
  const auto images = [&](const std::string& what, const std::string& bytes) { add(what, "train_images", bytes); };
  const auto labels = [&](const std::string& what, const std::string& bytes) { add(what, "train_labels", bytes); };
  images("empty", "");
  images("text", "no array at all, but long enough for the header of one");
  images("a header alone", npy("|u1", "(12, 4, 4)", ""));
  images("one byte too few", npy("|u1", "(12, 4, 4)", good_values.substr(1)));
  images("one byte too many", npy("|u1", "(12, 4, 4)", good_values + "x"));
  images("floats", npy("<f4", "(12, 2, 2)", good_values));
  images("signed bytes", npy("|i1", "(12, 4, 4)", good_values));
  images("two bytes a value", npy("<u2", "(12, 4, 2)", good_values));
  images("objects", npy("|O", "(12, 4, 4)", good_values));
  images("Fortran's order", npy("|u1", "(12, 4, 4)", good_values, "True"));
  images("two dimensions", npy("|u1", "(12, 16)", good_values));
  images("volumes", npy("|u1", "(3, 4, 4, 4)", good_values));
  images("four channels", npy("|u1", "(12, 2, 2, 4)", good_values));
  images("no images", npy("|u1", "(0, 4, 4)", ""));
  images("no width", npy("|u1", "(12, 4, 0)", ""));
  images("a side of 5,000", npy("|u1", "(1, 5000, 1)", std::string(5000, 'x')));
  images("a product of 0 modulo 2^64", npy("|u1", "(4294967296, 4294967296, 4)", good_values));
  images("2^40 images", npy("|u1", "(1099511627776, 4, 4)", good_values));
  images("a negative size", npy("|u1", "(-12, 4, 4)", good_values));
  images("an expression as shape", npy("|u1", "(3 * 4, 4, 4)", good_values));
  labels("floats", npy("<f8", "(12,)", ramp(96)));
  labels("text", npy("<U1", "(12,)", ramp(48)));
  labels("one too few", npy("|u1", "(11, 1)", ramp(11)));
  labels("one too many", npy("|u1", "(13, 1)", ramp(13)));
  labels("big-endian", npy(">i4", "(12,)", ramp(48)));
  labels("a single number", npy("|u1", "()", "x"));
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
  changed("a flipped bit of an image", [](std::string& zip) { zip[zip.find(good_values) + 20] ^= 4; });
  changed("a flipped bit of an image's header", [](std::string& zip) { zip[zip.find("descr") + 9] ^= 4; });
  changed("a wrong checksum", [](std::string& zip) { zip[zip.rfind("PK\1\2") + 16] ^= 1; });
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
  add("a label of 10", [](const fs::path& file) { write_bytes(file, '\n' + cifar_records(4).substr(1)); });
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
                     write(directory / name);
                   }});
  };
  for (const std::string ending : {".png", ".jpg", ".webp"}) {
    add("half a" + ending, "bad" + ending, [=](const fs::path& file) {
      const auto whole = image_bytes_of(ending);
      write_bytes(file, whole.substr(0, whole.size() / 2));
    });
    add("text as" + ending, "bad" + ending, [](const fs::path& file) { write_bytes(file, "no image"); });
    add("an empty" + ending, "bad" + ending, [](const fs::path& file) { write_bytes(file, ""); });
  }
  add("a PNG of 65,536 x 65,536", "bomb.png", [](const fs::path& file) {
    write_bytes(file, image_bytes_of(".png").replace(16, 8, std::string("\0\1\0\0\0\1\0\0", 8)));
  });
  add("a WebP of 16,384 x 16,384", "bomb.webp", [](const fs::path& file) {
    std::string bytes = "RIFF" + std::string("\x20\0\0\0", 4) + "WEBPVP8X" + std::string("\x0a\0\0\0\0\0\0\0", 8) +
                        std::string("\xff\x3f\0\xff\x3f\0", 6) + std::string(20, '\0');
    write_bytes(file, bytes);
  });
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

std::vector<BadData> bad_data_sets() {
  std::vector<BadData> all;
  add_arrays(all);
  add_archives(all);
  add_cifar(all);
  add_folders(all);
  return all;
}

}  // namespace slopegan
