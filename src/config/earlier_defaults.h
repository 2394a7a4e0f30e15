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

/// The entries of earlier_defaults that a run or sweep with the configuration `stored` was started with and that the
/// user has not set in `given`: bit i stands for entry i.
unsigned kept_defaults(const LoadedConfig& given, const Config& stored);

/// `config` with the values of the entries whose bits are set.
Config with_earlier_defaults(Config config, unsigned kept);

/// A log message that names the values that are kept; `kept` is not 0.
std::string kept_defaults_text(unsigned kept);

}  // namespace slopegan
