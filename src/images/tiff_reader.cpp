#include "images/tiff_reader.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <tiffio.h>
#include <vector>

#include "images/decoders.h"
#include "images/image_header.h"

namespace slopegan {

namespace {

// --- Messages --------------------------------------------------------------------------------------------------------

/// The destination of libtiff's messages in this thread; thread-local because libtiff's handlers are global. If it is
/// null, messages are ignored.
thread_local TiffReader::Reports* tiff_reports = nullptr;

class TiffReporting {
 public:
  explicit TiffReporting(TiffReader::Reports& reports) { tiff_reports = &reports; }
  TiffReporting(const TiffReporting&) = delete;
  TiffReporting& operator=(const TiffReporting&) = delete;
  ~TiffReporting() { tiff_reports = nullptr; }
};

std::string tiff_message(const char* format, std::va_list arguments) {
  char text[512] = "";
  static_cast<void>(std::vsnprintf(text, sizeof text, format, arguments));
  return text;
}

void on_tiff_error(thandle_t, const char*, const char* format, std::va_list arguments) {
  if (tiff_reports != nullptr && tiff_reports->error.empty()) tiff_reports->error = tiff_message(format, arguments);
}

/// If the pixels of a JPEG-compressed TIFF file are damaged, libjpeg reports a warning, of which libtiff passes on only
/// the text, not the code. `has_bad_pixels` covers all warnings that make decode_jpeg reject a file.
void on_tiff_warning(thandle_t, const char*, const char* format, std::va_list arguments) {
  if (tiff_reports == nullptr) return;
  const std::string message = tiff_message(format, arguments);
  const bool has_bad_pixels =
      message.starts_with("Corrupt JPEG data") && message.find("extraneous bytes") == message.npos;
  std::string& kept = has_bad_pixels ? tiff_reports->error : tiff_reports->warning;
  if (kept.empty()) kept = message;
}

/// libtiff passes each message to a handler that takes the file handle and to one that does not. By default, the latter
/// writes to stderr.
void set_tiff_handlers() {
  static const bool are_set = [] {
    TIFFSetErrorHandler(nullptr);
    TIFFSetWarningHandler(nullptr);
    TIFFSetErrorHandlerExt(on_tiff_error);
    TIFFSetWarningHandlerExt(on_tiff_warning);
    return true;
  }();
  static_cast<void>(are_set);
}

// --- libtiff's access to the bytes -----------------------------------------------------------------------------------

TiffReader::Source& tiff_source(thandle_t handle) { return *static_cast<TiffReader::Source*>(handle); }

tmsize_t read_tiff(thandle_t handle, void* out, tmsize_t wanted) {
  auto& source = tiff_source(handle);
  const std::size_t at = std::min(source.at, source.bytes.size()), count = static_cast<std::size_t>(wanted);
  const std::size_t copied = source.bytes.copy(static_cast<char*>(out), count, at);
  source.has_ended = source.has_ended || copied < count;
  source.at = at + copied;
  return static_cast<tmsize_t>(copied);
}

tmsize_t write_tiff(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek_tiff(thandle_t handle, toff_t offset, int origin) {
  auto& source = tiff_source(handle);
  const std::size_t base = origin == SEEK_CUR ? source.at : origin == SEEK_END ? source.bytes.size() : 0;
  return source.at = base + offset;
}

toff_t tiff_bytes(thandle_t handle) { return tiff_source(handle).bytes.size(); }

int close_tiff(thandle_t) { return 0; }

/// Memory mapping is not supported: libtiff would use it instead of read_tiff, which notices truncated files.
int map_tiff(thandle_t, void**, toff_t*) { return 0; }

void unmap_tiff(thandle_t, void*, toff_t) {}

}  // namespace

TiffReader::TiffReader(std::string_view bytes) : source_{bytes}, file_(nullptr, TIFFClose) {
  set_tiff_handlers();
  const TiffReporting reporting(reports_);
  file_.reset(TIFFClientOpen("TIFF", "r", &source_, read_tiff, write_tiff, seek_tiff, close_tiff, tiff_bytes, map_tiff,
                             unmap_tiff));
  if (!file_) report_damage();
  // The messages so far are about tags, mostly private ones, which many intact files contain.
  reports_ = {};
  source_.has_ended = false;
  is_tiled_ = TIFFIsTiled(file_.get()) != 0;
  if (field<std::uint16_t>(TIFFTAG_COMPRESSION) == COMPRESSION_JPEG &&
      field<std::uint16_t>(TIFFTAG_PHOTOMETRIC) == PHOTOMETRIC_YCBCR) {
    TIFFSetField(file_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);  // as in libtiff's interface for RGBA images
  }
}

TiffReader::~TiffReader() = default;

std::uint64_t TiffReader::block_bytes() const {
  return static_cast<std::uint64_t>(is_tiled_ ? TIFFTileSize(file_.get()) : TIFFStripSize(file_.get()));
}

std::string TiffReader::check() {
  // OpenCV may use a different libtiff that supports more kinds of compression.
  if (TIFFIsCODECConfigured(field<std::uint16_t>(TIFFTAG_COMPRESSION)) != 0) {
    read_blocks([](int, std::uint8_t*) {});
  }
  return reports_.warning;
}

bool TiffReader::has_deep_planes() const {
  return field<std::uint16_t>(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE && bits() > 8 && samples() > 1;
}

cv::Mat TiffReader::read_deep_planes(cv::Size declared_size, std::string& complaint) {
  if (bits() != 16 || samples() < 3 || samples() > 4 || field<std::uint16_t>(TIFFTAG_PHOTOMETRIC) != PHOTOMETRIC_RGB) {
    report_unsupported("planes of more than 8 bits, unless they are three or four 16-bit planes of an RGB image");
  }
  const cv::Size whole(static_cast<int>(field<std::uint32_t>(TIFFTAG_IMAGEWIDTH)),
                       static_cast<int>(field<std::uint32_t>(TIFFTAG_IMAGELENGTH)));
  if (whole != declared_size) report_bad_image("its header declares two sizes");
  const cv::Size block = block_size(whole);
  const int columns = (whole.width - 1) / block.width + 1, rows = (whole.height - 1) / block.height + 1;
  cv::Mat image(whole, CV_16UC(samples()), cv::Scalar::all(0));
  read_blocks([&](int index, std::uint8_t* pixels) {
    const int plane = index / (columns * rows), row = index / columns % rows, column = index % columns;
    if (plane >= image.channels()) return;
    const cv::Rect area = cv::Rect({column * block.width, row * block.height}, block) & cv::Rect({0, 0}, whole);
    cv::Mat part = image(area);
    const int channel = plane < 3 ? 2 - plane : plane;  // red, green, blue become blue, green, red
    cv::insertChannel(cv::Mat(block, CV_16UC1, pixels)(cv::Rect({0, 0}, area.size())), part, channel);
  });
  complaint = reports_.warning;
  apply_orientation(image, field<std::uint16_t>(TIFFTAG_ORIENTATION));
  return image;
}

/// The value of a tag, or its default. `Value` must be the type that libtiff documents for the tag.
template <class Value>
Value TiffReader::field(std::uint32_t tag) const {
  Value value{};
  TIFFGetFieldDefaulted(file_.get(), tag, &value);
  return value;
}

int TiffReader::bits() const { return field<std::uint16_t>(TIFFTAG_BITSPERSAMPLE); }

int TiffReader::samples() const { return field<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL); }

cv::Size TiffReader::block_size(cv::Size whole) const {
  if (is_tiled_) {
    return {static_cast<int>(field<std::uint32_t>(TIFFTAG_TILEWIDTH)),
            static_cast<int>(field<std::uint32_t>(TIFFTAG_TILELENGTH))};
  }
  const auto height = static_cast<std::uint32_t>(whole.height);
  return {whole.width, static_cast<int>(std::min(field<std::uint32_t>(TIFFTAG_ROWSPERSTRIP), height))};
}

/// Decodes all strips or tiles in order. 16-bit values are in the machine's byte order.
void TiffReader::read_blocks(const std::function<void(int index, std::uint8_t* pixels)>& visit) {
  const TiffReporting reporting(reports_);
  std::vector<std::uint8_t> block(block_bytes());
  const auto room = static_cast<tmsize_t>(block.size());
  const std::uint32_t count = is_tiled_ ? TIFFNumberOfTiles(file_.get()) : TIFFNumberOfStrips(file_.get());
  for (std::uint32_t i = 0; i < count; ++i) {
    const tmsize_t length = is_tiled_ ? TIFFReadEncodedTile(file_.get(), i, block.data(), room)
                                      : TIFFReadEncodedStrip(file_.get(), i, block.data(), room);
    if (length < 0 || !reports_.error.empty()) report_damage();
    visit(static_cast<int>(i), block.data());
  }
}

void TiffReader::report_damage() const {
  report_bad_image(source_.has_ended ? "the file is truncated" : reports_.error);
}

}  // namespace slopegan
