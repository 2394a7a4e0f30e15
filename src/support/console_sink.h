#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <spdlog/formatter.h>
#include <spdlog/sinks/base_sink.h>

#include "support/status_block.h"

/// Where the log meets the terminal; only support/log.cpp includes this, because of spdlog's types.
namespace slopegan::log {

/// One JSON object a line, whatever a message contains.
class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override;
  std::unique_ptr<spdlog::formatter> clone() const override;
};

/// The name of the logger whose messages are lines of a table: the clock does not stand before them.
inline constexpr const char* table_logger = "table";

/// What stderr is and how it is written to.
struct ConsoleStyle {
  bool in_place = false;  ///< a terminal that understands control sequences: status lines are shown
  bool colour = false;
  bool json = false;
};

/// How messages go to stderr: JSON never in place nor in colour, colours not where NO_COLOR is set and not empty
/// (no-color.org), nothing but text to TERM=dumb.
ConsoleStyle console_style(bool json);

/// stderr, with status lines below the messages. base_sink serialises all calls.
class ConsoleSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit ConsoleSink(const ConsoleStyle& style) : style_(style) {}
  void show_status(const std::vector<std::string>& lines);
  static TerminalSize size();

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  std::string text_of(const spdlog::details::log_msg& message);

  ConsoleStyle style_;
  StatusBlock status_;
};

}  // namespace slopegan::log
