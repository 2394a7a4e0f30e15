#pragma once

#include <string>

#include "statistics/findings.h"

/// SVG elements of charts, and the colours and shapes of verdicts. Coordinates are in SVG user units; on a phone, one
/// unit is about one CSS pixel.
namespace slopegan {

/// A <text> with one of the classes tick, label, name, condition, verdict or value; `content` is escaped.
std::string svg_text(double x, double y, const char* kind, const std::string& content);
std::string svg_line(const char* kind, double x1, double y1, double x2, double y2);

/// The CSS class that sets the colour of a verdict.
const char* verdict_class(Verdict verdict);
/// A shape per verdict, so that colour is not the only difference: a triangle that points down (better) or up (worse),
/// a square (control), a disc (equivalent), a ring (no difference), a cross (given up), or a diamond (all others).
std::string verdict_mark(Verdict verdict, double x, double y);

}  // namespace slopegan
