#include "support/log.h"

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <sstream>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/details/log_msg_buffer.h>
#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "support/errors.h"
#include "support/posix_file.h"
#include "support/status_block.h"
#include "support/text.h"

namespace slopegan::log {

namespace {

void write_to_stderr(const std::string& text) {
  // A closed stderr must not abort a training run.
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

/// Formats each message as one line with a JSON object.
class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override;
  std::unique_ptr<spdlog::formatter> clone() const override;
};

/// The name of the logger for table lines, which have no timestamp on a text console.
inline constexpr const char* table_logger = "table";

/// How messages are written to stderr.
struct ConsoleStyle {
  bool in_place = false;  ///< status lines are updated in place, on a terminal that supports control sequences
  bool colour = false;
  bool json = false;
};

/// JSON and TERM=dumb disable status lines and colours; a non-empty NO_COLOR (no-color.org) disables colours.
ConsoleStyle console_style(bool json);

/// A sink for stderr with status lines below the messages. base_sink serialises all calls.
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
  if (size.ws_col > 0) known.columns = size.ws_col;  // some serial terminals report 0
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

/// Errors have no timestamp, because the error message of a command is a single plain line.
std::string ConsoleSink::text_of(const spdlog::details::log_msg& message) {
  const std::string_view logger(message.logger_name.data(), message.logger_name.size());
  if (!style_.json && (message.level >= spdlog::level::err || logger == table_logger)) {
    return std::string(message.payload.data(), message.payload.size()) + "\n";
  }
  spdlog::memory_buf_t buffer;
  formatter_->format(message, buffer);
  return {buffer.data(), buffer.size()};
}

/// The sink of all loggers, which passes messages on to the console and the files. Files can be added while other
/// threads log; a logger does not allow this for its own list of sinks.
class Distributor : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Distributor(std::shared_ptr<spdlog::sinks::sink> console) : sinks_{std::move(console)} {}
  void add_file(std::shared_ptr<spdlog::sinks::sink> file);

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override;

 private:
  static constexpr std::size_t most_early_messages = 100;

  std::vector<std::shared_ptr<spdlog::sinks::sink>> sinks_;  // the console first
  std::vector<spdlog::details::log_msg_buffer> early_;       // warnings and errors before the first file
};

void Distributor::add_file(std::shared_ptr<spdlog::sinks::sink> file) {
  const std::lock_guard lock(mutex_);
  for (const auto& message : early_) file->log(message);
  file->flush();
  early_.clear();
  sinks_.push_back(std::move(file));
}

void Distributor::sink_it_(const spdlog::details::log_msg& message) {
  for (const auto& target : sinks_) {
    if (target->should_log(message.level)) target->log(message);
  }
  const bool is_early = sinks_.size() == 1 && message.level >= spdlog::level::warn;
  if (is_early && early_.size() < most_early_messages) early_.emplace_back(message);
}

void Distributor::flush_() {
  for (const auto& target : sinks_) target->flush();
}

struct State {
  std::shared_ptr<ConsoleSink> console;
  std::shared_ptr<Distributor> distributor;
  std::shared_ptr<spdlog::logger> logger, tables;
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
  const ConsoleStyle style = console_style(options.style == Style::json);
  State state;
  state.console = std::make_shared<ConsoleSink>(style);
  if (style.json) {
    state.console->set_formatter(std::make_unique<JsonFormatter>());
  } else {
    state.console->set_formatter(std::make_unique<spdlog::pattern_formatter>("%H:%M:%S %v"));
  }
  state.console->set_level(to_spdlog(options.level));
  state.distributor = std::make_shared<Distributor>(state.console);
  state.logger = std::make_shared<spdlog::logger>("slopegan", state.distributor);
  state.logger->set_level(spdlog::level::debug);
  state.tables = std::make_shared<spdlog::logger>(table_logger, state.distributor);
  for (const auto& logger : {state.logger, state.tables}) logger->flush_on(spdlog::level::debug);
  state.status_visible = style.in_place && options.level <= Level::info;
  return state;
}

State& state() {
  static State instance = make_state({});
  return instance;
}

}  // namespace

void init(const Options& options) { state() = make_state(options); }

void set_level(Level level) {
  state().console->set_level(to_spdlog(level));
  if (level > Level::info) state().status_visible = false;
}

void add_file(const std::filesystem::path& file) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string(), /*truncate=*/false);
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%d %H:%M:%S.%e %l %v"));
    state().distributor->add_file(std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    throw IoError(format_text("the log file {} cannot be written: {}", display(file), printable(error.what(), 4096)));
  }
}

void status_lines(const std::vector<std::string>& lines) {
  if (!state().status_visible) return;
  std::vector<std::string> safe;
  for (const auto& line : lines) safe.push_back(printable(line, line.size()));
  state().console->show_status(safe);
}

void status_line(std::string_view text) {
  status_lines(text.empty() ? std::vector<std::string>() : std::vector<std::string>{std::string(text)});
}

bool status_line_visible() { return state().status_visible; }
std::size_t status_columns() { return ConsoleSink::size().columns - 1; }

void table(const std::string& lines) {
  std::istringstream text(lines);
  for (std::string line; std::getline(text, line);) state().tables->info(printable(line, line.size()));
}

/// Makes the message printable, so that a name from an untrusted source cannot inject control characters or forge a log
/// line.
static void write(spdlog::level::level_enum level, std::string_view message) {
  const std::string safe = printable(message, message.size());
  state().logger->log(level, spdlog::string_view_t(safe.data(), safe.size()));
}
void debug(std::string_view message) { write(spdlog::level::debug, message); }
void info(std::string_view message) { write(spdlog::level::info, message); }
void warning(std::string_view message) { write(spdlog::level::warn, message); }
void error(std::string_view message) { write(spdlog::level::err, message); }

}  // namespace slopegan::log
