#include "report/report.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "report/page_server.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr int default_port = 8000;
constexpr std::size_t largest_report = std::size_t{1} << 28;

struct ReportArguments {
  std::vector<std::string> paths;
  std::string out;
  CLI::Option* serve = nullptr;
  std::string port;  ///< the value of `serve`; empty if omitted
  std::string host = "127.0.0.1";
};

int port_of(const std::string& text) {
  if (text.empty() || text == "true") return default_port;  // CLI11's value for an option without an argument
  const int port = parse_as<int>(text).value_or(-1);
  if (port < 0 || port > 65535) {
    throw UsageError(
        format_text("--serve {} is not a port; allowed: 1 to 65535, or 0 for any free port", printable(text)));
  }
  return port;
}

/// Serves the report, and rewrites it whenever there are new results, until a signal stops the server.
class LiveReport {
 public:
  LiveReport(const std::filesystem::path& directory, const std::optional<std::filesystem::path>& out, int port,
             const std::string& host)
      : directory_(directory),
        out_(out),
        shown_(results_fingerprint(directory)),
        server_(port, read_file(write_report(directory, out), largest_report), host) {}

  std::string url() const { return server_.url(); }

  void run() {
    auto next = Clock::now() + shortest_pause;
    while (stop_signal() == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      server_.check_running();
      if (Clock::now() < next) continue;
      const auto start = Clock::now();
      refresh();
      // Wait ten times as long as the refresh took, so that large reports leave most of the time to training.
      next = Clock::now() + std::max<Clock::duration>(shortest_pause, 10 * (Clock::now() - start));
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds shortest_pause{2};

  void refresh() {
    auto state = results_fingerprint(directory_);
    if (state == shown_) return;
    shown_ = std::move(state);
    try {
      server_.show(read_file(write_report(directory_, out_), largest_report));
    } catch (const Error& error) {
      log::warning(std::string(error.what()) + "; the page was not updated");
    }
  }

  std::filesystem::path directory_;
  std::optional<std::filesystem::path> out_;
  std::string shown_;
  PageServer server_;
};

int compare_command(const ReportArguments& arguments) {
  if (arguments.serve->count() > 0) {
    throw UsageError(
        format_text("--serve shows the report of one run or sweep; {} directories were given", arguments.paths.size()));
  }
  const std::filesystem::path out = arguments.out.empty() ? "comparison.html" : arguments.out;
  print(display(write_comparison({arguments.paths.begin(), arguments.paths.end()}, out)) + "\n");
  return static_cast<int>(ExitCode::done);
}

int report_command(const ReportArguments& arguments) {
  if (arguments.paths.size() > 1) return compare_command(arguments);
  const std::filesystem::path path = arguments.paths.front();
  const auto out = arguments.out.empty() ? std::nullopt : std::optional<std::filesystem::path>(arguments.out);
  if (arguments.serve->count() == 0) {
    print(display(write_report(path, out)) + "\n");
    return static_cast<int>(ExitCode::done);
  }
  const int port = port_of(arguments.port);
  install_signal_handlers();
  LiveReport live(path, out, port, arguments.host);
  print(live.url() + "\n");
  log::info("serving the report and updating it with new results; press Ctrl-C to stop");
  live.run();
  return 128 + stop_signal();
}

}  // namespace

void setup_report(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<ReportArguments>();
  command
      .add_option(
          "path", arguments->paths,
          "Directory of a run or a sweep, finished or still in progress; several sweeps are compared on one page")
      ->required()
      ->type_name("RUN|SWEEP");
  command
      .add_option("--out", arguments->out,
                  "Output file for the report (default: report.html in the directory; for several sweeps, "
                  "comparison.html in the current directory)")
      ->type_name("FILE");
  arguments->serve = command
                         .add_option("--serve", arguments->port,
                                     format_text("Serve the report to browsers on this machine and update it with new "
                                                 "results until Ctrl-C (default port: {}; 0: any free port)",
                                                 default_port))
                         ->expected(0, 1)
                         ->type_name("[PORT]");
  command
      .add_option("--host", arguments->host,
                  "With --serve, listen on this address instead of 127.0.0.1, for browsers on other machines; 0.0.0.0: "
                  "all addresses. The printed URL contains a random token, without which requests are rejected")
      ->needs(arguments->serve)
      ->type_name("ADDRESS");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return report_command(*arguments); };
  });
}

}  // namespace slopegan
