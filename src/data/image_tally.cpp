#include "data/image_tally.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "support/text.h"

namespace slopegan {

namespace {

/// Calls visit(key, count) for each count. `key` is its name in JSON.
template <class Tally, class Visitor>
void visit_counts(Tally& tally, Visitor visit) {
  visit("cropped", tally.cropped);
  visit("padded", tally.padded);
  visit("stretched", tally.stretched);
  visit("enlarged", tally.enlarged);
  visit("reduced", tally.reduced);
  visit("lacks_end", tally.lacks_end);
  visit("transparent", tally.transparent);
  visit("animated", tally.animated);
  visit("cmyk", tally.cmyk);
  visit("deep", tally.deep);
  visit("complaints", tally.complaints);
}

/// "3 images are", "1 file is".
std::string counted(const ImageCount& count, const std::string& noun, const std::string& singular,
                    const std::string& plural) {
  return format_text("{} {}{} {}", count.images, noun, plural_s(count.images), count.images == 1 ? singular : plural);
}

/// Names the example, which is the only image if there is just one.
std::string for_example(const ImageCount& count) {
  return (count.images == 1 ? ": " : ", for example ") + printable(count.example);
}

}  // namespace

void ImageCount::add(const std::string& file) {
  if (images++ == 0) example = file;
}

void ImageTally::add(const std::string& file, const ImageFacts& facts, const Fit& fit, std::int64_t resolution) {
  const auto count_if = [&](bool condition, ImageCount& count) {
    if (condition) count.add(file);
  };
  const auto height = facts.size.height, width = facts.size.width;
  const double used = static_cast<double>(fit.crop.width) * fit.crop.height;
  const bool is_cropped = fit.is_cropped(height, width);
  count_if(is_cropped, cropped);
  if (is_cropped) largest_cut = std::max(largest_cut, 1 - used / (static_cast<double>(height) * width));
  count_if(fit.is_padded(resolution), padded);
  count_if(fit.resize && fit.crop.width != fit.crop.height, stretched);
  count_if(fit.is_enlarged(resolution), enlarged);
  if (fit.is_enlarged(resolution)) {
    const std::int64_t side = std::min(fit.crop.height, fit.crop.width);
    smallest_side = smallest_side == 0 ? side : std::min(smallest_side, side);
  }
  count_if(facts.reduction > 1, reduced);
  count_if(facts.lacks_end, lacks_end);
  count_if(facts.has_transparency, transparent);
  count_if(facts.is_animation, animated);
  count_if(facts.is_cmyk, cmyk);
  count_if(facts.is_deep, deep);
  largest_deep_value = std::max(largest_deep_value, facts.largest_deep_value);
  if (!facts.complaint.empty() && complaints.images == 0) complaint = facts.complaint;
  count_if(!facts.complaint.empty(), complaints);
}

void ImageTally::merge(const ImageTally& other) {
  if (complaints.images == 0) complaint = other.complaint;
  std::vector<const ImageCount*> others;
  visit_counts(other, [&](const char*, const ImageCount& count) { others.push_back(&count); });
  std::size_t next = 0;
  visit_counts(*this, [&](const char*, ImageCount& count) {
    const ImageCount& added = *others[next++];
    if (count.images == 0) count.example = added.example;
    count.images += added.images;
  });
  largest_cut = std::max(largest_cut, other.largest_cut);
  largest_deep_value = std::max(largest_deep_value, other.largest_deep_value);
  if (smallest_side == 0 || (other.smallest_side > 0 && other.smallest_side < smallest_side)) {
    smallest_side = other.smallest_side;
  }
}

nlohmann::json ImageTally::to_json() const {
  nlohmann::json json = nlohmann::json::object();
  visit_counts(*this, [&](const char* name, const ImageCount& count) {
    if (count.images > 0) json[name] = {count.images, printable(count.example)};
  });
  json["largest_cut"] = largest_cut;
  json["smallest_side"] = smallest_side;
  json["largest_deep_value"] = largest_deep_value;
  json["complaint"] = printable(complaint);
  return json;
}

ImageTally ImageTally::from_json(const nlohmann::json& json) {
  ImageTally tally;
  visit_counts(tally, [&](const char* name, ImageCount& count) {
    if (!json.contains(name)) return;
    count = {json.at(name).at(0).get<std::int64_t>(), json.at(name).at(1).get<std::string>()};
  });
  tally.largest_cut = json.at("largest_cut").get<double>();
  tally.smallest_side = json.at("smallest_side").get<std::int64_t>();
  tally.largest_deep_value = json.at("largest_deep_value").get<int>();
  tally.complaint = json.at("complaint").get<std::string>();
  return tally;
}

namespace {

/// "203 images: 180 cropped to the central square (at most 33 % of the area is cut), 20 padded with black".
std::string fitting_note(const ImageTally& tally, std::int64_t images, std::int64_t resolution) {
  std::vector<std::string> parts;
  const auto add = [&](const ImageCount& count, const std::string& what) {
    if (count.images > 0) parts.push_back(format_text("{} {}", count.images, what));
  };
  add(tally.cropped,
      format_text("cropped to the central square (at most {:.0f} % of the area is cut)", 100 * tally.largest_cut));
  add(tally.padded, "padded with black");
  add(tally.stretched, "stretched to a square");
  add(tally.enlarged, format_text("enlarged to {} pixels (smallest: {})", resolution, tally.smallest_side));
  return parts.empty() ? "" : format_text("{} image{}: ", images, plural_s(images)) + join(parts, ", ");
}

std::string transparency_note(const ImageTally& tally, const std::string& background) {
  return counted(tally.transparent, "image", "is", "are") + " transparent" + for_example(tally.transparent) +
         (background == "none" ? "; transparent pixels keep their stored colours (data.background: none)"
                               : "; transparent pixels become " + background + " (data.background)");
}

}  // namespace

std::vector<std::string> ImageTally::notes(std::int64_t images, std::int64_t resolution, const std::string& background,
                                           int deep_bits) const {
  std::vector<std::string> lines;
  const auto add_if = [&](const ImageCount& count, const std::string& line) {
    if (count.images > 0) lines.push_back(line);
  };
  if (const auto fitting = fitting_note(*this, images, resolution); !fitting.empty()) lines.push_back(fitting);
  add_if(reduced,
         counted(reduced, "image", "has more than 12 megapixels and is", "have more than 12 megapixels and are") +
             " decoded at 1/2, 1/4 or 1/8 size" + for_example(reduced));
  add_if(transparent, transparency_note(*this, background));
  const int white = (1 << deep_bits) - 1;
  add_if(deep, counted(deep, "image", "has", "have") +
                   format_text(" 16 bits per channel and values up to {}; 0 to {} is scaled to 0 to 255{}",
                               largest_deep_value, white,
                               largest_deep_value > white ? ", and larger values are clipped" : ""));
  add_if(animated, counted(animated, "file", "contains", "contain") + " several images; only the first one is used" +
                       for_example(animated));
  add_if(cmyk,
         counted(cmyk, "CMYK image", "is", "are") + " converted to RGB without a colour profile" + for_example(cmyk));
  add_if(lacks_end, counted(lacks_end, "file", "ends early but contains", "end early but contain") + " every pixel" +
                        for_example(lacks_end));
  add_if(complaints, counted(complaints, "image", "is", "are") + " used although the decoder reports a problem" +
                         for_example(complaints) + ": " + printable(complaint));
  return lines;
}

}  // namespace slopegan
