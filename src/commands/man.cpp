#include <string_view>

#include "commands/arguments.h"
#include "commands/command_model.h"
#include "commands/commands.h"
#include "config/keys.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

struct ManEntry {
  std::string term, text;
};

/// Escapes text for roff. An unescaped '-' becomes a typographic hyphen, so searching for an option or pasting it
/// fails. A line of text must not start with a period or an apostrophe.
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

/// `term` is roff markup.
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
  if (!argument.words.empty()) text += " Values: " + join(argument.words, ", ") + ".";
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
      {ExitCode::usage, "An error in the arguments or the configuration."},
      {ExitCode::data, "The data is missing or invalid."},
      {ExitCode::checkpoint, "The checkpoint is missing or invalid."},
      {ExitCode::diverged, "Training diverged (NaN or infinity). The last finite checkpoint is kept."},
      {ExitCode::io,
       "Input or output failed (for example, the disk is full or read-only), memory is exhausted, or the connection to "
       "another rank failed or was lost."},
      {ExitCode::busy, "The run directory is in use by another process."},
      {ExitCode::bug, "A bug in slopegan."}};
  std::string text;
  for (const auto& [code, meaning] : codes) text += man_tagged(bold(std::to_string(static_cast<int>(code))), meaning);
  return text +
         man_tagged(bold("128 + N"),
                    "Stopped by signal N, which is SIGHUP (129), SIGINT (130), SIGUSR1 (138), SIGUSR2 (140), SIGTERM "
                    "(143) or SIGXCPU (152). A run that is training writes a checkpoint first.");
}

const std::vector<ManEntry> man_environment = {
    {"NO_COLOR", "If set and not empty, disables colours."},
    {"TERM", "If it is \"dumb\" or unset, progress is written as plain lines, as if stderr were not a terminal."},
    {"SLOPEGAN_CACHE",
     "Cache directory for packed images, trained feature extractors, features of real images and measured choices of "
     "kernels (default: $XDG_CACHE_HOME/slopegan or ~/.cache/slopegan); slopegan data --cache lists its contents."},
    {"SLOPEGAN_CPU",
     "The newest instruction set that slopegan's own kernels may use: default (the compiler's baseline, such as SSE2 "
     "on x86-64), avx2, avx512 or avx512_bf16. If it is not set, the newest that the processor supports. On the CPU, "
     "training.precision: auto selects bfloat16 only with avx512_bf16. Useful for tests, and to obtain the same "
     "results on different processors."},
    {"SLOPEGAN_KERNELS",
     "How the kernels for the convolutions of training and diagnostics are chosen on the CPU. table (the default): "
     "from the shapes, with a table measured on processors with AVX-512 and without AMX. measured: by measuring both "
     "kernels when a shape is first needed. Measured choices are stored in the cache and in checkpoints; runs are "
     "bit-identical only if they share the cache. Ranks always use the table."}};

const std::vector<ManEntry> man_files = {
    {"<run.output_dir>/<run.name>/",
     "A run: config.yaml, run.json, log.txt, history.jsonl, metrics.jsonl, diagnostics.jsonl, samples/, checkpoints/."},
    {"<run.output_dir>/<run.name>/runs/<arm>/",
     "A run of a sweep. The directory of the sweep also contains sweep.yaml, results.csv, statistics.json, "
     "contact_sheet.png, time_sheet.png."}};

}  // namespace

std::string man_page(const CommandModel& program, const std::string& version) {
  std::string text = ".\\\" Generated by `slopegan man`.\n.TH SLOPEGAN 1 \"\" \"slopegan " + roff(version) +
                     "\" \"User Commands\"\n.nh\n";
  text += man_section("NAME") + "slopegan \\- train DCGANs and compare negative slopes\n";
  text += man_section("SYNOPSIS") + bold("slopegan") + " [" + italic("options") + "] " + italic("command") + " ...\n";
  text +=
      man_section("DESCRIPTION") + roff(program.description) + "\n" +
      man_paragraph(
          "Results go to stdout. The log and progress go to stderr; on a terminal, progress is updated in place in the "
          "last lines.");
  text += man_section("OPTIONS") + "Global options may also follow the command.\n";
  for (const auto& option : program.options) text += argument_entry(option, false);
  text += man_section("COMMANDS");
  for (const auto& command : program.commands) text += man_command(command, "slopegan " + command.name, program.footer);
  text += man_section("CONFIGURATION") +
          "Configuration files are YAML; the dots in a key denote nesting. Any key can also be given as " +
          italic("key=value") + " on the command line.\n" + man_keys();
  return text + man_section("EXIT STATUS") + exit_codes() + man_section("ENVIRONMENT") + man_list(man_environment) +
         man_section("FILES") + man_list(man_files);
}

void setup_man(CLI::App& command, Action& action) {
  command.footer("To read the page: slopegan man | man -l -");
  command.callback([&command, &action] {
    action = [&command](const std::vector<std::string>&) {
      print(man_page(describe_commands(*command.get_parent()), program_versions().slopegan));
      return static_cast<int>(ExitCode::done);
    };
  });
}

}  // namespace slopegan
