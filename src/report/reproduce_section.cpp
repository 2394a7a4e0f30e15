#include <algorithm>

#include "config/print.h"
#include "report/html.h"
#include "report/sections.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// As a POSIX shell reads it back.
std::string shell_word(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char letter : word) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

std::string command_line(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  std::transform(words.begin(), words.end(), std::back_inserter(quoted), shell_word);
  return join(quoted, " ");
}

std::string command_block(const std::string& command) {
  return element("pre", "class=\"command\"", element("code", "", escape(command)));
}

std::string facts_list(const RunData& run) {
  std::string items;
  for (const auto& [label, value] : run.facts) {
    items += element("dt", "", escape(label)) + element("dd", "", escape(value));
  }
  return items.empty() ? "" : element("dl", "class=\"facts\"", items);
}

std::string yaml_block(const std::string& name, const Config& config) {
  return element("details", "", element("summary", "", escape(name)) + element("pre", "", escape(to_yaml(config))));
}

}  // namespace

std::string sweep_reproduce_section(const SweepData& sweep) {
  std::string content =
      element("p", "",
              "The same command starts a sweep from its configuration, or goes on with one that was stopped:") +
      command_block(command_line({"slopegan", "sweep", (sweep.directory / "sweep.yaml").string()}));
  const auto begun =
      std::find_if(sweep.arms.begin(), sweep.arms.end(), [](const ArmData& arm) { return !arm.run.argv.empty(); });
  if (begun != sweep.arms.end()) {
    content += element("p", "", "One arm, for example:") + command_block(command_line(begun->run.argv));
    content += facts_list(begun->run);
  }
  content += yaml_block("sweep.yaml", sweep.config);
  return section("reproduce", "How to reproduce", content);
}

std::string run_reproduce_section(const RunData& run) {
  std::string content;
  if (!run.argv.empty()) content += command_block(command_line(run.argv));
  if (run.config) {
    content += element("p", "",
                       "Seed " + element("code", "", std::to_string(run.config->seed)) +
                           ". The same binary, precision and number of threads give the same bits on a CPU.");
  }
  content += facts_list(run);
  if (run.config) content += yaml_block("config.yaml", *run.config);
  return section("reproduce", "How to reproduce", content);
}

}  // namespace slopegan
