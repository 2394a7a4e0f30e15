#include <csetjmp>
// clang-format off
#include <cstdio>  // before jpeglib.h, which needs it
#include <jpeglib.h>
#include <jerror.h>  // after jpeglib.h, because the message codes depend on its macros
// clang-format on
#include <string>
#include <utility>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "images/decoders.h"
#include "images/image_header.h"

namespace slopegan {

namespace {

/// The largest number of scans that is accepted; no encoder writes as many. A scan takes as long to decode as a whole
/// image, even if it has only a few bytes.
constexpr int max_scans = 500;

/// The state of libjpeg's callbacks. The error callback must not return, so it uses longjmp.
struct JpegReports {
  jpeg_error_mgr manager;  // first, so that libjpeg's pointer to it can be cast to this struct
  std::jmp_buf jump;
  char error[JMSG_LENGTH_MAX] = "";
  char warning[JMSG_LENGTH_MAX] = "";
  bool has_bad_pixels = false;  // a warning indicates missing or wrong pixels
  bool has_ended = false;       // the bytes ended before the end-of-image marker
};

JpegReports& reports_of(j_common_ptr info) { return *reinterpret_cast<JpegReports*>(info->err); }

[[noreturn]] void on_jpeg_error(j_common_ptr info) {
  auto& reports = reports_of(info);
  (*info->err->format_message)(info, reports.error);
  std::longjmp(reports.jump, 1);
}

void on_jpeg_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace message
  auto& reports = reports_of(info);
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
      return;  // see has_ended
#if JPEG_LIB_VERSION >= 70 || defined(D_ARITH_CODING_SUPPORTED)
    case JWRN_ARITH_BAD_CODE:
#endif
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
      reports.has_bad_pixels = true;
      break;
    default:
      break;
  }
  if (reports.warning[0] == '\0') (*info->err->format_message)(info, reports.warning);
}

void ignore_jpeg_output(j_common_ptr) {}

void on_jpeg_progress(j_common_ptr info) {
  const auto& decoder = *reinterpret_cast<j_decompress_ptr>(info);
  if (decoder.input_scan_number <= max_scans) return;
  auto& reports = reports_of(info);
  std::snprintf(reports.error, sizeof reports.error, "more than %d scans", max_scans);
  std::longjmp(reports.jump, 1);
}

/// Supplies an end-of-image marker at the end of the bytes, as libjpeg's own data sources do.
boolean fill_jpeg_input(j_decompress_ptr info) {
  static constexpr JOCTET end_of_image[] = {0xff, JPEG_EOI};
  reports_of(reinterpret_cast<j_common_ptr>(info)).has_ended = true;
  info->src->next_input_byte = end_of_image;
  info->src->bytes_in_buffer = sizeof end_of_image;
  return TRUE;
}

void skip_jpeg_input(j_decompress_ptr info, long count) {
  auto& source = *info->src;
  if (count <= 0) return;
  const auto skipped = static_cast<std::size_t>(count);
  if (skipped > source.bytes_in_buffer) {
    fill_jpeg_input(info);
  } else {
    source.next_input_byte += skipped;
    source.bytes_in_buffer -= skipped;
  }
}

void ignore_jpeg_source(j_decompress_ptr) {}

/// Converts CMYK to BGR as OpenCV does. `inverted` is true for files from Adobe's programs, whose values are inverted.
void convert_cmyk(const std::uint8_t* cmyk, bool inverted, std::uint8_t* bgr, int width) {
  for (int x = 0; x < width; ++x, cmyk += 4, bgr += 3) {
    const int k = inverted ? cmyk[3] : 255 - cmyk[3];
    for (int c = 0; c < 3; ++c) {
      const int ink = inverted ? 255 - cmyk[c] : cmyk[c];
      bgr[2 - c] = static_cast<std::uint8_t>(k - (ink * k >> 8));
    }
  }
}

class JpegDecoder {
 public:
  explicit JpegDecoder(std::string_view bytes) {
    info_.err = jpeg_std_error(&reports_.manager);
    reports_.manager.error_exit = on_jpeg_error;
    reports_.manager.emit_message = on_jpeg_message;
    reports_.manager.output_message = ignore_jpeg_output;
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
    source_.bytes_in_buffer = bytes.size();
    source_.init_source = ignore_jpeg_source;
    source_.fill_input_buffer = fill_jpeg_input;
    source_.skip_input_data = skip_jpeg_input;
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = ignore_jpeg_source;
    progress_.progress_monitor = on_jpeg_progress;
    guarded([](JpegDecoder& self) {
      jpeg_create_decompress(&self.info_);
      self.info_.src = &self.source_;
      self.info_.progress = &self.progress_;
      jpeg_save_markers(&self.info_, JPEG_APP0 + 1, 0xffff);
    });
  }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  ~JpegDecoder() { jpeg_destroy_decompress(&info_); }

  /// JPEG has neither transparency nor 16-bit channels, so only options.reduce matters.
  DecodedImage decode(const DecodeOptions& options) {
    guarded([](JpegDecoder& self) { jpeg_read_header(&self.info_, TRUE); });
    DecodedImage result;
    result.facts.size = {static_cast<int>(info_.image_width), static_cast<int>(info_.image_height)};
    result.facts.reduction = reduction_of(result.facts.size, options);
    const int orientation = exif_orientation(exif());
    result.facts.is_cmyk = info_.num_components == 4;
    const WholeImageMemory memory(coefficient_bytes());
    choose_output(result.facts.reduction);
    guarded([](JpegDecoder& self) { jpeg_start_decompress(&self.info_); });
    image_.create(static_cast<int>(info_.output_height), static_cast<int>(info_.output_width),
                  info_.out_color_space == JCS_GRAYSCALE ? CV_8UC1 : CV_8UC3);
    if (result.facts.is_cmyk) cmyk_.resize(std::size_t{info_.output_width} * 4);
    guarded([](JpegDecoder& self) { self.read_rows(); });
    check_pixels();
    if (info_.out_color_space == JCS_RGB) cv::cvtColor(image_, image_, cv::COLOR_RGB2BGR);
    apply_orientation(image_, orientation);
    if (orientation >= 5) std::swap(result.facts.size.width, result.facts.size.height);
    result.image = image_;
    result.facts.lacks_end = reports_.has_ended;
    result.facts.complaint = reports_.warning;
    return result;
  }

 private:
  /// Runs calls to libjpeg. An error jumps over the stack frames of `calls`, so `calls` must not own resources.
  void guarded(void (*calls)(JpegDecoder& self)) {
    if (setjmp(reports_.jump) == 0) {
      calls(*this);
      return;
    }
    if (reports_.has_ended) report_bad_image("the file is truncated");
    const std::string error = reports_.error;
    if (error.starts_with("Unsupported")) report_unsupported(error);
    report_bad_image(error);
  }

  std::string_view exif() const {
    for (auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
      if (data.starts_with("Exif")) return data;
    }
    return {};
  }

  /// The size of the 16-bit coefficients, which libjpeg keeps in memory for an image with several scans.
  std::uint64_t coefficient_bytes() const {
    if (jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&info_)) == 0) return 0;
    std::uint64_t blocks = 0;
    for (int i = 0; i < info_.num_components; ++i) {
      const auto& component = info_.comp_info[i];
      blocks += std::uint64_t{component.width_in_blocks} * component.height_in_blocks;
    }
    return blocks * sizeof(JBLOCK);
  }

  void choose_output(int reduction) {
    info_.scale_num = 1;
    info_.scale_denom = static_cast<unsigned>(reduction);
    if (info_.num_components == 1) {
      info_.out_color_space = JCS_GRAYSCALE;
    } else {
      info_.out_color_space = info_.num_components == 4 ? JCS_CMYK : JCS_RGB;
    }
  }

  void read_rows() {
    while (info_.output_scanline < info_.output_height) {
      std::uint8_t* out = image_.ptr(static_cast<int>(info_.output_scanline));
      JSAMPROW row = cmyk_.empty() ? out : cmyk_.data();
      jpeg_read_scanlines(&info_, &row, 1);
      if (!cmyk_.empty()) convert_cmyk(cmyk_.data(), info_.saw_Adobe_marker != 0, out, image_.cols);
    }
    jpeg_finish_decompress(&info_);
  }

  /// If the end marker is missing, later scans may be missing too. Such an image is accepted only if each component has
  /// at least one scan and, in a progressive image, each coefficient has all its bits.
  void check_pixels() {
    bool complete = !reports_.has_bad_pixels;
    if (reports_.has_ended) {
      for (int i = 0; i < info_.num_components; ++i) {
        complete = complete && info_.comp_info[i].quant_table != nullptr;
        for (int k = 0; info_.coef_bits != nullptr && k < DCTSIZE2; ++k) {
          complete = complete && info_.coef_bits[i][k] == 0;
        }
      }
    }
    if (!complete) report_bad_image(reports_.has_ended ? "the file is truncated" : reports_.warning);
  }

  jpeg_decompress_struct info_{};
  jpeg_source_mgr source_{};
  jpeg_progress_mgr progress_{};
  JpegReports reports_{};
  cv::Mat image_;
  std::vector<std::uint8_t> cmyk_;  // one row
};

}  // namespace

DecodedImage decode_jpeg(std::string_view bytes, const DecodeOptions& options) {
  return JpegDecoder(bytes).decode(options);
}

}  // namespace slopegan
