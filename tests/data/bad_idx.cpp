#include "data/bad_idx.h"

#include <sys/stat.h>
#include <unistd.h>

#include "data/idx_writer.h"
#include "support/text.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;

constexpr auto images_name = "train-images-idx3-ubyte";
constexpr auto labels_name = "train-labels-idx1-ubyte";
const std::string good_images = idx_header({12, 4, 4}) + ramp(192);
const std::string good_labels = idx_header({12}) + ramp(12);

std::string gz_name(const std::string& name) { return format_text("{}.gz", name); }

struct Content {
  const char* what;
  std::string bytes;
};

std::vector<Content> bad_images() {
  constexpr std::uint32_t most = 0xffffffff;
  return {{"empty", ""},
          {"one byte", good_images.substr(0, 1)},
          {"half a magic number", good_images.substr(0, 2)},
          {"a magic number alone", good_images.substr(0, 4)},
          {"a header without its last byte", good_images.substr(0, 15)},
          {"a header alone", good_images.substr(0, 16)},
          {"one byte too few", good_images.substr(0, good_images.size() - 1)},
          {"one byte too many", good_images + 'x'},
          {"twice", good_images + good_images},
          {"a PNG", "\x89PNG\r\n\x1a\n and so on and so on"},
          {"text", "not images, whatever its name says, and long enough for a header\n"},
          {"zeros", std::string(1000, '\0')},
          {"signed bytes", idx_header({12, 4, 4}, 0x09) + ramp(192)},
          {"floats", idx_header({12, 4, 4}, 0x0d) + ramp(768)},
          {"labels", good_labels},
          {"four dimensions", idx_header({12, 1, 4, 4}) + ramp(192)},
          {"255 dimensions", std::string("\0\0\x08\xff", 4) + std::string(1020, '\1')},
          {"little-endian", std::string("\3\x08\0\0\x0c\0\0\0\4\0\0\0\4\0\0\0", 16) + ramp(192)},
          {"no images", idx_header({0, 4, 4})},
          {"no height", idx_header({12, 0, 4})},
          {"a width of 2^32-1", idx_header({12, 4, most}) + ramp(192)},
          {"a count of 2^32-1", idx_header({most, 4, 4}) + ramp(192)},
          {"a product of 0 modulo 2^64", idx_header({0x80000000, 0x80000000, 4}) + ramp(192)},
          {"a product of 192 modulo 2^32", idx_header({0x1000000c, 4, 4}) + ramp(192)},
          {"all sizes 2^32-1", idx_header({most, most, most}) + ramp(192)},
          {"8 GiB", idx_header({512, 4096, 4096}) + ramp(192)},
          {"one image more than there is", idx_header({13, 4, 4}) + ramp(192)},
          {"one image less than there is", idx_header({11, 4, 4}) + ramp(192)}};
}

std::vector<Content> bad_labels() {
  return {{"empty", ""},
          {"a header alone", good_labels.substr(0, 8)},
          {"half a header", good_labels.substr(0, 6)},
          {"one byte too few", good_labels.substr(0, good_labels.size() - 1)},
          {"one byte too many", good_labels + 'x'},
          {"one label more than images", idx_header({13}) + ramp(13)},
          {"one label less than images", idx_header({11}) + ramp(11)},
          {"no labels", idx_header({0})},
          {"a count of 2^32-1", idx_header({0xffffffff}) + ramp(12)},
          {"images", good_images},
          {"integers of four bytes", idx_header({12}, 0x0c) + ramp(48)}};
}

/// What `change` makes of the gzipped `bytes`.
BadIdx damaged_gz(const std::string& what, const std::string& bytes, const std::function<void(std::string&)>& change) {
  const std::string name = gz_name(images_name);
  return {"gzip: " + what, name, [=](const fs::path& directory) {
            fs::remove(directory / images_name);
            write_gz(directory / name, bytes);
            std::string content = read_bytes(directory / name);
            change(content);
            write_bytes(directory / name, content);
          }};
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

/// A member of 16 MiB of zeros, which takes 16 KiB.
std::string zeros_member(const fs::path& scratch) {
  write_gz(scratch, std::string(16 << 20, '\0'));
  const std::string member = read_bytes(scratch);
  fs::remove(scratch);
  return member;
}

/// A header and then gibibytes of zeros that a file of a megabyte unfolds to.
BadIdx bomb(const std::string& what, const char* of, const std::string& header) {
  const std::string name = gz_name(of);
  return {"gzip: " + what, name, [=](const fs::path& directory) {
            fs::remove(directory / of);
            write_gz(directory / name, header);
            write_bytes(directory / name, read_bytes(directory / name) + repeated(zeros_member(directory / "z"), 64));
          }};
}

void add_gzip(std::vector<BadIdx>& all) {
  const auto add = [&](const char* what, const std::function<void(std::string&)>& change) {
    all.push_back(damaged_gz(what, good_images, change));
  };
  add("a header alone", [](std::string& gz) { gz.resize(10); });
  add("half", [](std::string& gz) { gz.resize(gz.size() / 2); });
  add("no checksum", [](std::string& gz) { gz.resize(gz.size() - 8); });
  add("half a checksum", [](std::string& gz) { gz.resize(gz.size() - 6); });
  add("a wrong checksum", [](std::string& gz) { gz[gz.size() - 8] ^= 1; });
  add("a wrong length", [](std::string& gz) { gz[gz.size() - 1] ^= 1; });
  add("another method", [](std::string& gz) { gz[2] = 7; });
  add("reserved flags", [](std::string& gz) { gz[3] = static_cast<char>(0xe0); });
  add("a reserved block type", [](std::string& gz) { gz[10] = static_cast<char>(0xff); });
  add("a flipped bit of its data", [](std::string& gz) { gz[40] ^= 4; });
  add("a second member that is more images", [](std::string& gz) { gz += gz; });
  all.push_back(bomb("a bomb behind a small header", images_name, idx_header({12, 4, 4})));
  all.push_back(bomb("a bomb of images", images_name, idx_header({64, 4096, 4096})));
  all.push_back(bomb("a bomb of the most images", images_name, idx_header({511, 4096, 4096})));
  all.push_back(bomb("a bomb of labels", labels_name, idx_header({1 << 30})));
  all.push_back(bomb("a bomb of as many labels as 2^32-1", labels_name, idx_header({0xffffffff})));
}

void add_other_than_files(std::vector<BadIdx>& all) {
  for (const char* name : {images_name, labels_name}) {
    const auto add = [&](const char* what, const std::function<void(const fs::path&)>& make) {
      all.push_back({std::string(name) + ": " + what, name, [=](const fs::path& directory) {
                       fs::remove(directory / name);
                       make(directory / name);
                     }});
    };
    add("a directory", [](const fs::path& path) { fs::create_directory(path); });
    add("a pipe", [](const fs::path& path) { ::mkfifo(path.c_str(), 0600); });
    add("a link to itself", [](const fs::path& path) { fs::create_symlink(path.filename(), path); });
    add("a link to nothing", [](const fs::path& path) { fs::create_symlink("nothing", path); });
    add("a link to a device", [](const fs::path& path) { fs::create_symlink("/dev/zero", path); });
    add("a link to a file that fails", [](const fs::path& path) { fs::create_symlink("/proc/self/mem", path); });
    if (::geteuid() != 0) {
      add("a file without permission", [](const fs::path& path) {
        write_bytes(path, good_images);
        fs::permissions(path, fs::perms::none);
      });
    }
  }
}

}  // namespace

void write_good_idx(const fs::path& directory) {
  write_bytes(directory / images_name, good_images);
  write_bytes(directory / labels_name, good_labels);
}

std::vector<BadIdx> bad_idx_data_sets() {
  std::vector<BadIdx> all;
  const auto add_plain_and_gzipped = [&](const std::string& name, const Content& content) {
    all.push_back({name + ": " + content.what, name,
                   [=](const fs::path& directory) { write_bytes(directory / name, content.bytes); }});
    all.push_back({gz_name(name) + ": " + content.what, gz_name(name), [=](const fs::path& directory) {
                     fs::remove(directory / name);
                     write_gz(directory / gz_name(name), content.bytes);
                   }});
  };
  for (const auto& content : bad_images()) add_plain_and_gzipped(images_name, content);
  for (const auto& content : bad_labels()) add_plain_and_gzipped(labels_name, content);
  add_gzip(all);
  add_other_than_files(all);
  return all;
}

}  // namespace slopegan
