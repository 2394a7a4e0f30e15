#include "report/svg.h"

#include "report/html.h"
#include "support/text.h"

namespace slopegan {

std::string svg_text(double x, double y, const char* kind, const std::string& content) {
  return format_text("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">", kind, x, y) + escape(content) + "</text>";
}

std::string svg_line(const char* kind, double x1, double y1, double x2, double y2) {
  return format_text("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>", kind, x1, y1, x2,
                     y2);
}

const char* verdict_class(Verdict verdict) {
  switch (verdict) {
    case Verdict::better:
      return "v-better";
    case Verdict::worse:
      return "v-worse";
    case Verdict::given_up:
      return "v-given-up";
    case Verdict::control:
    case Verdict::equivalent:
    case Verdict::undecided:
    case Verdict::no_difference_detected:
    case Verdict::too_few_seeds:
    case Verdict::not_comparable:
      break;
  }
  return "v-open";
}

namespace {

std::string mark_path(const char* kind, const char* shape, double x, double y) {
  return format_text("<path class=\"{}\" transform=\"translate({:.1f} {:.1f})\" d=\"{}\"/>", kind, x, y, shape);
}

constexpr const char* disc = "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z";

}  // namespace

std::string verdict_mark(Verdict verdict, double x, double y) {
  const auto path = [&](const char* kind, const char* shape) { return mark_path(kind, shape, x, y); };
  switch (verdict) {
    case Verdict::better:
      return path("mark", "M-6-5H6L0 6Z");
    case Verdict::worse:
      return path("mark", "M-6 5H6L0-6Z");
    case Verdict::control:
      return path("mark", "M-5-5H5V5H-5Z");
    case Verdict::given_up:
      return path("mark cross", "M-5-5L5 5M-5 5L5-5");
    case Verdict::no_difference_detected:
      return path("mark hollow", disc);
    case Verdict::equivalent:
      return path("mark", disc);
    case Verdict::undecided:
    case Verdict::too_few_seeds:
    case Verdict::not_comparable:
      break;
  }
  return path("mark hollow", "M-6 0L0-6L6 0L0 6Z");
}

}  // namespace slopegan
