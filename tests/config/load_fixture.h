#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/load.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {

/// Loads text from a file that is called "x.yaml" in messages.
class LoadFixture : public ::testing::Test {
 protected:
  LoadedConfig load(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    return load_config(directory_.write("x.yaml", text), overrides);
  }

  /// Returns the lines of the UsageError that load() throws. If load() throws no error, the test fails and the list is
  /// empty.
  std::vector<std::string> errors(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    return errors_of(load_config, text, overrides);
  }

  /// Like errors(), but for load_config_for_sweep.
  std::vector<std::string> sweep_errors(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    return errors_of(load_config_for_sweep, text, overrides);
  }

  std::vector<std::string> override_errors(const std::vector<std::string>& overrides) const {
    return errors("", overrides);
  }

  std::vector<std::string> lines_without_directory(std::string text) const {
    const std::string prefix = directory_.path().string() + "/";
    for (std::size_t at; (at = text.find(prefix)) != std::string::npos;) text.erase(at, prefix.size());
    std::vector<std::string> lines;
    for (std::size_t start = 0; start <= text.size();) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      lines.push_back(text.substr(start, end - start));
      start = end + 1;
    }
    return lines;
  }

  TemporaryDirectory directory_;

 private:
  template <class Load>
  std::vector<std::string> errors_of(Load&& load_file, const std::string& text,
                                     const std::vector<std::string>& overrides) const {
    try {
      load_file(directory_.write("x.yaml", text), overrides);
    } catch (const UsageError& e) {
      return lines_without_directory(e.what());
    }
    ADD_FAILURE() << "no error for: " << text.substr(0, 200);
    return {};
  }
};

}  // namespace slopegan
