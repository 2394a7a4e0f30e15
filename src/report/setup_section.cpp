#include <algorithm>
#include <filesystem>

#include "config/fields.h"
#include "config/print.h"
#include "report/html.h"
#include "report/sections.h"
#include "support/expand_path.h"
#include "support/ranges.h"
#include "support/text.h"

/// The arms of a sweep, the configuration, and how to reproduce the results.
namespace slopegan {

namespace {

// ---- Arms ----

std::string last_fd(const RunData& run) {
  const auto fd = run.metrics.empty() ? std::nullopt : find_value(run.metrics.back().values, "fd");
  return fd ? number_text(*fd) : "–";
}

std::string speed(const RunData& run) {
  if (run.history.empty()) return "–";
  double sum = 0;
  for (const auto& record : run.history) sum += record.images_per_second;
  return number_text(sum / static_cast<double>(run.history.size()));
}

std::vector<std::string> arm_cells(const ArmData& arm) {
  const auto& run = arm.run;
  const std::string loss_d = run.history.empty() ? "–" : number_text(run.history.back().discriminator_loss);
  const std::string loss_g = run.history.empty() ? "–" : number_text(run.history.back().generator_loss);
  return {escape(run.name), status_badge(run.status), grouped(run.images), last_fd(run), loss_d, loss_g, speed(run)};
}

std::string failures(const SweepData& sweep) {
  std::string items;
  for (const auto& arm : sweep.arms) {
    if (!arm.run.is_bad()) continue;
    std::string text = element("b", "", escape(arm.run.name)) + " " + status_badge(arm.run.status) + " after " +
                       grouped(arm.run.images) + " images";
    if (!arm.run.last_error.empty()) text += element("p", "class=\"words\"", escape(arm.run.last_error));
    items += element("li", "", text);
  }
  if (items.empty()) return {};
  return element("h3", "", "Failed arms") + element("ul", "class=\"failures\"", items);
}

// ---- Configuration ----

struct ConfigKey {
  std::string name, help;
};

std::vector<ConfigKey> all_keys() {
  std::vector<ConfigKey> keys;
  const Config config;
  visit_fields(config, [&](std::string_view name, const auto&, const auto&, std::string_view help) {
    keys.push_back({std::string(name), std::string(help)});
  });
  return keys;
}

/// Whether each arm has a different value of the key.
bool is_always_different(const std::string& key) { return key == "run.name"; }

/// The distinct values of a key, in the order of the arms.
std::vector<std::string> distinct_values(const std::vector<const Config*>& configs, const std::string& key) {
  std::vector<std::string> values;
  for (const auto* config : configs) {
    std::string value = value_text(*config, key);
    if (!contains(values, value)) values.push_back(std::move(value));
  }
  return values;
}

std::string value_list(const std::vector<std::string>& values) {
  constexpr std::size_t max_values = 16;
  std::string text;
  for (std::size_t i = 0; i < std::min(values.size(), max_values); ++i) {
    text += (i > 0 ? ", " : "") + element("code", "", escape(values[i]));
  }
  return values.size() > max_values ? text + format_text(" and {} more", values.size() - max_values) : text;
}

std::string config_table(const std::vector<const Config*>& configs, bool is_sweep) {
  Table table;
  table.header = {"key", "value", "meaning"};
  const Config defaults;
  for (const auto& key : all_keys()) {
    const auto values = distinct_values(configs, key.name);
    std::string cell = value_list(values);
    std::string kind;
    if (values.size() > 1 && !is_always_different(key.name)) {
      kind = "differs";
      cell += " " + element("span", "class=\"badge open\"", "differs between arms");
    } else if (values.front() != value_text(defaults, key.name)) {
      kind = "changed";
    }
    if (is_sweep && is_always_different(key.name)) cell = "one name per arm";
    table.rows.push_back({element("code", "", key.name), cell, escape(key.help)});
    table.row_classes.push_back(kind);
  }
  return table_html(table, is_sweep ? "The configuration of the arms. Values that differ between arms are marked; "
                                      "values that differ from the default are bold."
                                    : "Values that differ from the default are bold.");
}

// ---- Reproduction ----

/// Quotes a word for a POSIX shell.
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

/// `path` as an argument that the program expands to `path`.
std::string path_argument(const std::filesystem::path& path) {
  const std::string text = unexpanded_path(path.native());
  return text.starts_with('~') ? "./" + text : text;
}

/// The run.output_dir and run.name arguments for a sweep or run whose directory differs from the one in its
/// configuration, because it was renamed, moved or copied; otherwise empty. Without these arguments, the command would
/// start a new sweep or run in the configured directory, or change the original of a copy.
std::vector<std::string> place_arguments(const std::filesystem::path& directory, const std::string& output_dir,
                                         const std::string& name) {
  const auto normal = [](const std::filesystem::path& path) { return (path / "x").lexically_normal().parent_path(); };
  const auto place = normal(std::filesystem::absolute(directory));
  const auto stored = normal(std::filesystem::absolute(std::filesystem::path(output_dir) / name));
  std::error_code ignored;
  if (place == stored || std::filesystem::equivalent(place, stored, ignored)) return {};
  const auto given = normal(directory);
  const bool has_name = !given.empty() && given.filename() == place.filename();
  auto parent = has_name ? given.parent_path() : place.parent_path();
  if (parent.empty()) parent = ".";
  return {"run.output_dir=" + yaml_scalar(path_argument(parent)), "run.name=" + yaml_scalar(place.filename().string())};
}

std::vector<std::string> with_arguments(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string facts_list(const RunData& run) {
  std::string items;
  for (const auto& [label, value] : run.facts) {
    items += element("dt", "", escape(label)) + element("dd", "", escape(value));
  }
  return items.empty() ? "" : element("dl", "class=\"facts\"", items);
}

/// Describes how closely a repetition of the run reproduces its results.
std::string repetition_text(const RunData& run) {
  const std::string seed = "Seed " + element("code", "", std::to_string(run.config->seed)) + ". ";
  if (run.inexact_at.empty() && run.has_measured_kernels) {
    return seed +
           "On CPUs of the same model, the same binary, precision, number of threads and kernels give bit-identical "
           "results. The kernels were chosen by measuring them: a repetition uses the same ones only if it sets "
           "SLOPEGAN_KERNELS=measured and shares the cache.";
  }
  if (run.inexact_at.empty()) {
    return seed +
           "On CPUs of the same model, the same binary, precision and number of threads give bit-identical results.";
  }
  std::vector<std::string> places;
  for (const auto images : run.inexact_at) places.push_back(grouped(images));
  return seed + "The run was resumed under different conditions at " + join(places, ", ") +
         " images, so its results can differ from those of an uninterrupted run with the same configuration; the "
         "warnings in log.txt explain why.";
}

std::string yaml_block(const std::string& name, const Config& config) {
  return element("details", "", element("summary", "", escape(name)) + element("pre", "", escape(to_yaml(config))));
}

}  // namespace

std::string status_badge(const std::string& status) {
  const char* kind = status == "done" ? "good" : is_bad_status(status) ? "bad" : "open";
  return element("span", format_text("class=\"badge {}\"", kind), escape(status));
}

std::string arms_section(const SweepData& sweep) {
  Table table;
  table.header = {"arm", "status", "images", "FD", "loss D", "loss G", "images/s"};
  table.numeric = {false, false, true, true, true, true, true};
  for (const auto& arm : sweep.arms) {
    table.rows.push_back(arm_cells(arm));
    table.row_classes.push_back(arm.run.is_bad() ? "worse" : "");
  }
  const std::string all = table_html(table);
  const std::string heading = std::to_string(sweep.arms.size()) + (sweep.arms.size() == 1 ? " arm" : " arms");
  // A long table is collapsed.
  const bool is_long = sweep.arms.size() > 24;
  return section("arms", "Arms",
                 failures(sweep) + element("details", is_long ? "" : "open", element("summary", "", heading) + all));
}

std::string sweep_config_section(const SweepData& sweep) {
  std::vector<const Config*> configs;
  for (const auto& arm : sweep.arms) {
    if (arm.run.config) configs.push_back(&*arm.run.config);
  }
  if (configs.empty()) configs.push_back(&sweep.config);
  return section("config", "Configuration",
                 element("details", "",
                         "<summary>All keys with their values and meanings</summary>" + config_table(configs, true)));
}

std::string run_config_section(const RunData& run) {
  if (!run.config) return {};
  return section(
      "config", "Configuration",
      element("details", "",
              "<summary>All keys with their values and meanings</summary>" + config_table({&*run.config}, false)));
}

std::string sweep_reproduce_section(const SweepData& sweep) {
  const auto place = place_arguments(sweep.directory, sweep.config.run.output_dir, sweep.stored_name);
  std::string content =
      element("p", "", "This command starts the sweep from its configuration, or resumes it after an interruption:") +
      command_block(
          command_line(with_arguments({"slopegan", "sweep", path_argument(sweep.directory / "sweep.yaml")}, place)));
  const auto started =
      std::find_if(sweep.arms.begin(), sweep.arms.end(), [](const ArmData& arm) { return !arm.run.argv.empty(); });
  if (started != sweep.arms.end()) {
    if (place.empty()) {  // the arm's command contains the directory in the configuration
      content += element("p", "", "This command trains one arm:") + command_block(command_line(started->run.argv));
    }
    content += facts_list(started->run);
  }
  content += yaml_block("sweep.yaml", sweep.config);
  return section("reproduce", "How to reproduce", content);
}

std::string run_reproduce_section(const RunData& run) {
  std::string content;
  const auto place = run.config ? place_arguments(run.directory, run.config->run.output_dir, run.config->run.name)
                                : std::vector<std::string>();
  if (!run.argv.empty()) {
    const char* text = run.inexact_at.empty() ? "This command trained the run:" : "This command last resumed the run:";
    content += element("p", "", text) + command_block(command_line(run.argv));
  }
  if (!place.empty()) {
    content += element("p", "", "This command resumes the run in its new directory:") +
               command_block(command_line(with_arguments(
                   {"slopegan", "train", path_argument(run.directory / "config.yaml"), "--resume", "auto"}, place)));
  }
  if (run.config) content += element("p", "", repetition_text(run));
  content += facts_list(run);
  if (run.config) content += yaml_block("config.yaml", *run.config);
  return section("reproduce", "How to reproduce", content);
}

}  // namespace slopegan
