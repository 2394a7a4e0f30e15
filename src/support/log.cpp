#include "support/log.h"

#include <memory>
#include <sstream>
#include <string>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "support/console_sink.h"
#include "support/errors.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan::log {

namespace {

struct State {
  std::shared_ptr<ConsoleSink> console;
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
  state.logger = std::make_shared<spdlog::logger>("slopegan", state.console);
  state.logger->set_level(spdlog::level::debug);
  state.tables = std::make_shared<spdlog::logger>(table_logger, state.console);
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
    for (auto* logger : {state().logger.get(), state().tables.get()}) {
      logger->sinks().push_back(sink);
      logger->flush_on(spdlog::level::debug);
    }
  } catch (const spdlog::spdlog_ex& error) {
    throw IoError("the log file " + display(file) + " cannot be opened: " + printable(error.what(), 4096));
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
