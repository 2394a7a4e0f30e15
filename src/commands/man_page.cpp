#include "commands/man_page.h"

#include <iterator>
#include <string_view>

#include "config/key_description.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

struct ManEntry {
  std::string term, text;
};

/// '-' would become a hyphen, which nobody can search for or paste; a line must not begin with a roff control
/// character.
std::string roff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool begins_line = escaped.empty() || escaped.back() == '\n';
    if (begins_line && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string man_section(const std::string& name) { return ".SH " + name + "\n"; }
std::string man_paragraph(const std::string& text) { return ".PP\n" + roff(text) + "\n"; }
std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

/// `term` is roff already.
std::string man_tagged(const std::string& term, const std::string& text) {
  return ".TP\n" + term + "\n" + roff(text) + "\n";
}

std::string man_list(const std::vector<ManEntry>& entries) {
  std::string text;
  for (const auto& entry : entries) text += man_tagged(bold(entry.term), entry.text);
  return text;
}

std::string argument_text(const ArgumentModel& argument) {
  std::string text = argument.description + ".";
  if (!argument.words.empty()) text += " Words: " + join(argument.words, ", ") + ".";
  if (!argument.range.empty()) text += " Allowed: " + argument.range + ".";
  if (!argument.default_value.empty()) text += " Default: " + argument.default_value + ".";
  return text;
}

std::string argument_entry(const ArgumentModel& argument, bool positional) {
  std::vector<std::string> names;
  for (const auto& name : argument.names) names.push_back(bold(name));
  const std::string value = italic(argument.placeholder);
  const std::string term = positional ? value : join(names, ", ") + (argument.is_flag() ? "" : " " + value);
  return man_tagged(term, argument_text(argument));
}

std::string man_synopsis(const CommandModel& command, const std::string& path) {
  std::string text = bold(path);
  for (const auto& positional : command.positionals) {
    const std::string value = italic(positional.placeholder) + (positional.repeats ? " ..." : "");
    text += positional.required ? " " + value : " [" + value + "]";
  }
  return text + " [" + italic("options") + "]";
}

bool is_help(const ArgumentModel& option) { return option.names.back() == "--help"; }

std::string man_command(const CommandModel& command, const std::string& path, const std::string& global_footer) {
  std::string text;
  for (const auto& below : command.commands) text += man_command(below, path + " " + below.name, global_footer);
  if (!command.commands.empty()) return text;
  text = ".SS " + roff(path) + "\n" + man_synopsis(command, path) + "\n" + man_paragraph(command.description + ".");
  for (const auto& positional : command.positionals) text += argument_entry(positional, true);
  for (const auto& option : command.options) {
    if (!is_help(option)) text += argument_entry(option, false);
  }
  return command.footer.empty() || command.footer == global_footer ? text : text + man_paragraph(command.footer);
}

std::string man_keys() {
  std::string text;
  for (const auto& key : key_descriptions()) {
    text += man_tagged(bold(key.key), key.help + ". Allowed: " + key.allowed + ". Default: " + key.default_value + ".");
  }
  return text;
}

std::string exit_codes() {
  const std::pair<ExitCode, const char*> codes[] = {
      {ExitCode::done, "Done."},
      {ExitCode::usage, "A mistake in the arguments or the configuration."},
      {ExitCode::data, "The data cannot be used."},
      {ExitCode::checkpoint, "The checkpoint cannot be used."},
      {ExitCode::diverged, "Training diverged (NaN or infinity); the last finite checkpoint is kept."},
      {ExitCode::io, "Input or output failed: disk full, read-only."},
      {ExitCode::busy, "The run directory is in use by another process."},
      {ExitCode::bug, "A bug of slopegan."}};
  std::string text;
  for (const auto& [code, meaning] : codes) text += man_tagged(bold(std::to_string(static_cast<int>(code))), meaning);
  return text + man_tagged(bold("129, 130, 143"), "Stopped by SIGHUP, SIGINT, SIGTERM after a checkpoint was written.");
}

const std::vector<ManEntry> man_environment = {
    {"NO_COLOR", "Where set and not empty, nothing is coloured."},
    {"TERM", "Where \"dumb\" or unset, progress comes in plain lines, as it does where stderr is no terminal."},
    {"SLOPEGAN_CACHE",
     "Where trained feature extractors and the features of real images are kept (default: ~/.cache/slopegan)."}};

const std::vector<ManEntry> man_files = {
    {"<run.output_dir>/<run.name>/",
     "A run: config.yaml, run.json, log.txt, history.jsonl, metrics.jsonl, diagnostics.jsonl, samples/, checkpoints/."},
    {"<run.output_dir>/<run.name>/runs/<arm>/",
     "The runs of a sweep, beside its sweep.yaml, results.csv, statistics.json, contact_sheet.png, time_sheet.png."}};

}  // namespace

std::string man_page(const CommandModel& program, const std::string& version) {
  std::string text =
      ".\\\" Made by `slopegan man`.\n.TH SLOPEGAN 1 \"\" \"slopegan " + roff(version) + "\" \"User Commands\"\n.nh\n";
  text += man_section("NAME") + "slopegan \\- train DCGANs and find out which negative slope to use\n";
  text += man_section("SYNOPSIS") + bold("slopegan") + " [" + italic("options") + "] " + italic("command") + " ...\n";
  text +=
      man_section("DESCRIPTION") + roff(program.description) + "\n" +
      man_paragraph(
          "Results go to the standard output, progress and the log to the standard error: in place at the bottom of "
          "a terminal, in plain lines elsewhere.");
  text += man_section("OPTIONS") + "They may also stand behind the command.\n";
  for (const auto& option : program.options) text += argument_entry(option, false);
  text += man_section("COMMANDS");
  for (const auto& command : program.commands) text += man_command(command, "slopegan " + command.name, program.footer);
  text += man_section("CONFIGURATION") + "YAML, nested as the dots show; any key can be given as " +
          italic("key=value") + " on the command line.\n" + man_keys();
  return text + man_section("EXIT STATUS") + exit_codes() + man_section("ENVIRONMENT") + man_list(man_environment) +
         man_section("FILES") + man_list(man_files);
}

}  // namespace slopegan
