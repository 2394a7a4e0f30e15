#pragma once

#include <array>
#include <string>
#include <string_view>

#include "config/load.h"

/// Defaults that changed after version 0.9. A run or sweep from that version keeps its own values when it is continued.
namespace slopegan {

struct EarlierDefault {
  std::string_view key, value;
};
inline constexpr std::array<EarlierDefault, 5> earlier_defaults = {{{"training.batch_size", "64"},
                                                                    {"optimizer.generator_lr", "2e-4"},
                                                                    {"optimizer.discriminator_lr", "2e-4"},
                                                                    {"loss.r1", "0"},
                                                                    {"loss.r1_every", "1"}}};

/// The entries of earlier_defaults whose values are in `stored`, the configuration with which a run or sweep was
/// started, and whose keys the user has not set in `given`. Bit i stands for entry i. Returns 0 if `stored` is not from
/// version 0.9 (data.as_in_0_9), or if `given` sets one of keys_since_0_9.
unsigned kept_defaults(const LoadedConfig& given, const Config& stored);

/// `config` with the values of those entries of earlier_defaults whose bits are set in `kept`.
Config with_earlier_defaults(Config config, unsigned kept);

/// A log message that names the values that are kept; `kept` must not be 0.
std::string kept_defaults_text(unsigned kept);

}  // namespace slopegan
