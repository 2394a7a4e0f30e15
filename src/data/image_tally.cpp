#include "data/image_tally.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "support/text.h"

namespace slopegan {

namespace {

/// The counts with their names in the cache.
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

std::string images_text(std::int64_t count) { return format_text("{} {}", count, count == 1 ? "image" : "images"); }

/// "3 images are", "1 image is".
std::string images_are(const ImageCount& count) {
  return images_text(count.images) + (count.images == 1 ? " is" : " are");
}

std::string for_example(const ImageCount& count) { return ", for example " + printable(count.example); }

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

/// "203 images: 180 cropped to their central square (at most 33 % of the area is cut), 20 enlarged".
std::string fitting_note(const ImageTally& tally, std::int64_t images, std::int64_t resolution) {
  std::vector<std::string> parts;
  const auto add = [&](const ImageCount& count, const std::string& what) {
    if (count.images > 0) parts.push_back(format_text("{} {}", count.images, what));
  };
  add(tally.cropped,
      format_text("cropped to their central square (at most {:.0f} % of the area is cut)", 100 * tally.largest_cut));
  add(tally.padded, "centred on black");
  add(tally.stretched, "stretched to a square");
  add(tally.enlarged, format_text("enlarged from {} pixels or more to {}", tally.smallest_side, resolution));
  return parts.empty() ? "" : images_text(images) + ": " + join(parts, ", ");
}

std::string transparency_note(const ImageTally& tally, const std::string& background) {
  if (tally.transparent.images == 0) return "";
  return images_are(tally.transparent) + " transparent" + for_example(tally.transparent) + ": " +
         (background == "none" ? "data.background: none uses the colours stored in transparent pixels"
                               : "data.background: " + background + " is behind them");
}

std::string deep_note(const ImageTally& tally, int bits) {
  if (tally.deep.images == 0) return "";
  return format_text("{} 16 bits per colour with values up to {}: 0 to {} become 0 to 255",
                     images_text(tally.deep.images) + (tally.deep.images == 1 ? " has" : " have"),
                     tally.largest_deep_value, (1 << bits) - 1);
}

}  // namespace

std::vector<std::string> ImageTally::notes(std::int64_t images, std::int64_t resolution, const std::string& background,
                                           int deep_bits) const {
  std::vector<std::string> lines;
  const auto add = [&](const std::string& line) {
    if (!line.empty()) lines.push_back(line);
  };
  const auto add_if = [&](const ImageCount& count, const std::string& what) {
    if (count.images > 0) lines.push_back(images_are(count) + " " + what + for_example(count));
  };
  add(fitting_note(*this, images, resolution));
  add_if(reduced, "larger than 12 megapixels and decoded at 1/2, 1/4 or 1/8 of the size");
  add(transparency_note(*this, background));
  add(deep_note(*this, deep_bits));
  add_if(animated, "the first of several in their file");
  add_if(cmyk, "CMYK and converted to RGB without a colour profile");
  add_if(lacks_end, "complete although the end of the file is missing");
  if (complaints.images > 0) {
    lines.push_back(images_are(complaints) + " used although there is something wrong with the file" +
                    for_example(complaints) + ": " + printable(complaint));
  }
  return lines;
}

}  // namespace slopegan
