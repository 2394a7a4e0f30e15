#include "report/report.h"

#include <memory>

#include "commands/commands.h"
#include "commands/output.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

struct ReportArguments {
  std::string path;
  std::string out;
};

int report_command(const ReportArguments& arguments) {
  const auto out = arguments.out.empty() ? std::nullopt : std::optional<std::filesystem::path>(arguments.out);
  print(printable(write_report(arguments.path, out).string()) + "\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

void setup_report(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<ReportArguments>();
  command.add_option("path", arguments->path, "Directory of a run or a sweep, finished or not")
      ->required()
      ->type_name("RUN|SWEEP");
  command.add_option("--out", arguments->out, "Where the page goes (default: report.html in the directory)")
      ->type_name("FILE");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return report_command(*arguments); };
  });
}

}  // namespace slopegan
