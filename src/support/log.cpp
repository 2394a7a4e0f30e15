#include "support/log.h"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "support/errors.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan::log {

namespace {

/// One JSON object a line; nlohmann's dump escapes what a message may contain.
class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
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
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

/// stderr with a status line below the messages. base_sink serialises all calls.
class ConsoleSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  ConsoleSink(bool terminal, bool colour, bool json) : terminal_(terminal), colour_(colour), json_(json) {}

  void show_status(std::string_view text) {
    if (!terminal_) return;
    const std::lock_guard lock(mutex_);
    status_ = text.substr(0, columns());
    write("\r\033[K" + status_);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string line = formatted(message);
    if (colour_ && message.level >= spdlog::level::warn) {
      const char* code = message.level == spdlog::level::warn ? "\033[33m" : "\033[31m";
      line = code + line.substr(0, line.size() - 1) + "\033[0m\n";
    }
    if (!status_.empty()) line = "\r\033[K" + line + status_;
    write(line);
  }
  void flush_() override {}

 private:
  /// Errors stand alone: a user's mistake is one line without the clock.
  std::string formatted(const spdlog::details::log_msg& message) {
    if (!json_ && message.level >= spdlog::level::err) {
      return std::string(message.payload.data(), message.payload.size()) + "\n";
    }
    spdlog::memory_buf_t buffer;
    formatter_->format(message, buffer);
    return {buffer.data(), buffer.size()};
  }

  /// A longer line would wrap, and only its last row could be cleared.
  static std::size_t columns() {
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col - std::size_t{1} : 79;
  }

  static void write(const std::string& text) {
    // A closed stderr must not end a training run.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  }
  bool terminal_, colour_, json_;
  std::string status_;
};

struct State {
  std::shared_ptr<ConsoleSink> console;
  std::shared_ptr<spdlog::logger> logger;
  bool status_visible = false;
};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

State make_state(const Options& options) {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  const char* no_colour = std::getenv("NO_COLOR");
  const bool text = options.style == Style::text;
  State state;
  const bool colour = terminal && text && (no_colour == nullptr || *no_colour == '\0');
  state.console = std::make_shared<ConsoleSink>(terminal && text, colour, !text);
  if (text) {
    state.console->set_formatter(std::make_unique<spdlog::pattern_formatter>("%H:%M:%S %v"));
  } else {
    state.console->set_formatter(std::make_unique<JsonFormatter>());
  }
  state.console->set_level(to_spdlog(options.level));
  state.logger = std::make_shared<spdlog::logger>("slopegan", state.console);
  state.logger->set_level(spdlog::level::debug);
  state.status_visible = terminal && text && options.level <= Level::info;
  return state;
}

State& state() {
  static State instance = make_state({});
  return instance;
}

}  // namespace

void init(const Options& options) { state() = make_state(options); }

void add_file(const std::filesystem::path& file) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string(), /*truncate=*/false);
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%d %H:%M:%S.%e %l %v"));
    state().logger->sinks().push_back(std::move(sink));
    state().logger->flush_on(spdlog::level::debug);
  } catch (const spdlog::spdlog_ex& error) {
    throw IoError("the log file " + display(file) + " cannot be opened: " + printable(error.what(), 4096));
  }
}

void status_line(std::string_view text) {
  if (state().status_visible) state().console->show_status(printable(text, text.size()));
}
bool status_line_visible() { return state().status_visible; }

/// Whoever forgets to make a foreign name printable still sends no control character to a terminal, nor forges a line.
static void write(spdlog::level::level_enum level, std::string_view message) {
  const std::string safe = printable(message, message.size());
  state().logger->log(level, spdlog::string_view_t(safe.data(), safe.size()));
}
void debug(std::string_view message) { write(spdlog::level::debug, message); }
void info(std::string_view message) { write(spdlog::level::info, message); }
void warning(std::string_view message) { write(spdlog::level::warn, message); }
void error(std::string_view message) { write(spdlog::level::err, message); }

}  // namespace slopegan::log
