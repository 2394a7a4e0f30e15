#include "support/console_sink.h"

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace slopegan::log {

namespace {

void write_to_stderr(const std::string& text) {
  // A closed stderr must not end a training run.
  for (std::string_view rest = text; !rest.empty();) {
    const auto written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

void JsonFormatter::format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) {
  using namespace std::chrono;
  const auto millis = duration_cast<milliseconds>(message.time.time_since_epoch()).count();
  const auto level = spdlog::level::to_string_view(message.level);
  const nlohmann::ordered_json line = {
      {"time", static_cast<double>(millis) / 1000.0},
      {"level", std::string(level.data(), level.size())},
      {"message", std::string(message.payload.data(), message.payload.size())},
  };
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  out.append(text.data(), text.data() + text.size());
}

std::unique_ptr<spdlog::formatter> JsonFormatter::clone() const { return std::make_unique<JsonFormatter>(); }

ConsoleStyle console_style(bool json) {
  const auto term = environment("TERM");
  const bool in_place = !json && ::isatty(STDERR_FILENO) != 0 && !term.empty() && term != "dumb";
  return {in_place, in_place && environment("NO_COLOR").empty(), json};
}

TerminalSize ConsoleSink::size() {
  winsize size{};
  TerminalSize known;
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return known;
  if (size.ws_col > 0) known.columns = size.ws_col;  // 0 is what some serial lines say
  if (size.ws_row > 0) known.rows = size.ws_row;
  return known;
}

void ConsoleSink::show_status(const std::vector<std::string>& lines) {
  if (!style_.in_place) return;
  const std::lock_guard lock(mutex_);
  write_to_stderr(status_.replace(lines, size()));
}

void ConsoleSink::sink_it_(const spdlog::details::log_msg& message) {
  std::string line = text_of(message);
  if (style_.colour && message.level >= spdlog::level::warn) {
    const char* code = message.level == spdlog::level::warn ? "\033[33m" : "\033[31m";
    line = code + line.substr(0, line.size() - 1) + "\033[0m\n";
  }
  write_to_stderr(style_.in_place ? status_.write_above(line, size()) : line);
}

/// Errors stand alone: a user's mistake is one line without the clock.
std::string ConsoleSink::text_of(const spdlog::details::log_msg& message) {
  const std::string_view logger(message.logger_name.data(), message.logger_name.size());
  if (!style_.json && (message.level >= spdlog::level::err || logger == table_logger)) {
    return std::string(message.payload.data(), message.payload.size()) + "\n";
  }
  spdlog::memory_buf_t buffer;
  formatter_->format(message, buffer);
  return {buffer.data(), buffer.size()};
}

}  // namespace slopegan::log
