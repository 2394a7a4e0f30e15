#include "config/earlier_defaults.h"

#include <utility>
#include <vector>

#include "config/conditions.h"
#include "config/print.h"

namespace slopegan {

namespace {

std::vector<Setting> kept_settings(unsigned kept) {
  std::vector<Setting> settings;
  for (std::size_t i = 0; i < earlier_defaults.size(); ++i) {
    const auto& [key, value] = earlier_defaults[i];
    if ((kept >> i & 1u) != 0) settings.push_back({std::string(key), std::string(value)});
  }
  return settings;
}

}  // namespace

Config with_earlier_defaults(Config config, unsigned kept) {
  return with_settings(std::move(config), kept_settings(kept));
}

unsigned kept_defaults(const LoadedConfig& given, const Config& stored) {
  // `stored` was written by a later version, in which the values of 0.9 are not defaults: the user has set them.
  if (!stored.data.as_in_0_9) return 0;
  // The configuration that will be stored contains a key of a later version, so it no longer looks like one of version
  // 0.9. If defaults were kept now, they would be lost when the run or sweep is continued again.
  if (given.sets_reading_of_data()) return 0;
  unsigned kept = 0;
  for (std::size_t i = 0; i < earlier_defaults.size(); ++i) {
    const auto key = earlier_defaults[i].key;
    const Config earlier = with_earlier_defaults(stored, 1u << i);
    const bool was_default = value_text(stored, key) == value_text(earlier, key);
    if (was_default && !given.places.contains(key)) kept |= 1u << i;
  }
  return kept;
}

std::string kept_defaults_text(unsigned kept) {
  return "continuing with the defaults of version 0.9: " + settings_text(kept_settings(kept));
}

}  // namespace slopegan
