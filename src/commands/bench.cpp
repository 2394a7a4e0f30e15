#include "bench/bench.h"

#include <memory>
#include <string>
#include <vector>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "config/load.h"
#include "run/run_info.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace {

struct BenchArguments {
  std::vector<std::string> overrides;
  std::vector<std::string> vary;
  double seconds = 10;
  std::int64_t channels = 1;
  std::int64_t arms = 4;
  int rounds = 3;
  int busy = 0;
  double slope = 0.2;
};

BenchVariant make_variant(const BenchArguments& arguments, const std::vector<std::string>& more, std::string name) {
  auto overrides = arguments.overrides;
  overrides.insert(overrides.end(), more.begin(), more.end());
  const auto loaded = load_config("", overrides);
  for (const auto& warning : loaded.warnings) log::warning(warning);
  return {std::move(name), loaded.config};
}

/// Splits text at the commas that are not inside [] or {}.
std::vector<std::string> split_values(const std::string& text) {
  std::vector<std::string> values(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (c == ',' && depth <= 0) {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  return values;
}

/// One variant per combination of the values in `--vary KEY=A,B,…`.
std::vector<BenchVariant> make_variants(const BenchArguments& arguments, const std::vector<std::string>& vary) {
  std::vector<std::vector<std::string>> combinations = {{}};
  for (const auto& text : vary) {
    const auto equals = text.find('=');
    if (equals == std::string::npos)
      throw UsageError(format_text("--vary {} is not of the form KEY=VALUE,VALUE,...", printable(text)));
    std::vector<std::vector<std::string>> longer;
    for (const auto& combination : combinations) {
      for (const auto& value : split_values(text.substr(equals + 1))) {
        longer.push_back(combination);
        longer.back().push_back(text.substr(0, equals + 1) + value);
      }
    }
    combinations = std::move(longer);
  }
  std::vector<BenchVariant> variants;
  for (const auto& combination : combinations) {
    variants.push_back(make_variant(arguments, combination, combination.empty() ? "defaults" : join(combination, " ")));
  }
  return variants;
}

int report(BenchResult result, const std::vector<BenchVariant>& variants) {
  const auto& training = variants.front().config.training;
  const Versions versions = program_versions();
  const HostInfo host = this_host();
  result.facts = {{"slopegan", versions.slopegan},
                  {"git_commit", versions.git_commit},
                  {"libtorch", versions.libtorch},
                  {"machine", format_text("{}, {} cores", host.cpu, host.cores)},
                  {"compute", describe(choose_compute(training))}};
  log::table(bench_table(result));
  print(bench_json(result));
  return static_cast<int>(ExitCode::done);
}

RoundOptions rounds_of(const BenchArguments& arguments) { return {.seconds = arguments.seconds}; }

/// The value of --vary by default. Where bfloat16 is emulated, a step in bfloat16 can take minutes.
std::string default_precisions(const BenchArguments& arguments) {
  const auto device = choose_compute(make_variant(arguments, {}, "").config.training).device;
  return std::string("training.precision=float32") + (has_native_bfloat16(device) ? ",bfloat16" : "");
}

int run_step(const BenchArguments& arguments) {
  auto vary = arguments.vary;
  if (vary.empty()) vary = {default_precisions(arguments)};
  const auto variants = make_variants(arguments, vary);
  return report(bench_step(variants, arguments.channels, rounds_of(arguments), arguments.busy), variants);
}

int run_inference(const BenchArguments& arguments) {
  auto vary = arguments.vary;
  if (vary.empty()) vary = {"generator.negative_slope=0,0.2"};
  const auto variants = make_variants(arguments, vary);
  return report(bench_inference(variants, arguments.channels, rounds_of(arguments)), variants);
}

int run_activation(const BenchArguments& arguments) {
  const auto variant = make_variant(arguments, {}, "");
  const auto compute = choose_compute(variant.config.training);
  return report(bench_activation(compute, arguments.slope, rounds_of(arguments)), {variant});
}

int run_sweep_bench(const BenchArguments& arguments) {
  const auto variant = make_variant(arguments, {}, "");
  install_signal_handlers();  // so that a signal stops the arms and the temporary directory is removed
  return report(bench_sweep(variant.config, arguments.arms, arguments.rounds), {variant});
}

using Run = int (*)(const BenchArguments&);

CLI::App& add_bench(CLI::App& command, Action& action, const std::shared_ptr<BenchArguments>& arguments,
                    const char* name, const char* help, Run run) {
  auto* bench = command.add_subcommand(name, help);
  bench->add_option("key=value", arguments->overrides, "Override keys in the default configuration")
      ->type_name("key=value");
  bench->callback([arguments, run, &action] {
    action = [arguments, run](const std::vector<std::string>&) { return run(*arguments); };
  });
  return *bench;
}

void add_seconds(CLI::App& bench, BenchArguments& arguments) {
  bench.add_option("--seconds", arguments.seconds, "Total time for all rows, in seconds; at least 5 rounds are run")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0))
      ->type_name("S");
}

void add_variants(CLI::App& bench, BenchArguments& arguments, const char* usual) {
  bench
      .add_option("--vary", arguments.vary,
                  std::string("Measure each of these values of a key; repeat the option to combine keys (default: ") +
                      usual + ")")
      ->type_name("KEY=VALUE,...");
  add_integer(bench, "--channels", arguments.channels, "Number of image channels: 1 or 3")
      ->capture_default_str()
      ->check(CLI::IsMember({1, 3}))
      ->type_name("N");
}

}  // namespace

void setup_bench(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<BenchArguments>();
  command.require_subcommand(1);
  auto& step = add_bench(command, action, arguments, "step",
                         "Measure the training step relative to the machine's peak rate", run_step);
  add_seconds(step, *arguments);
  add_variants(step, *arguments,
               "training.precision=float32,bfloat16, or only float32 if the device lacks native bfloat16");
  add_integer(step, "--busy", arguments->busy,
              "Measure again, for the same duration, while N other processes occupy one core each")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024))
      ->type_name("N");
  auto& activation =
      add_bench(command, action, arguments, "activation",
                "Measure Leaky ReLU and LibTorch's activations relative to the memory bandwidth", run_activation);
  add_seconds(activation, *arguments);
  activation.add_option("--slope", arguments->slope, "Negative slope")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 1.0))
      ->type_name("SLOPE");
  auto& inference = add_bench(command, action, arguments, "inference",
                              "Measure the generator with batches of 1 and 64 images", run_inference);
  add_seconds(inference, *arguments);
  add_variants(inference, *arguments, "generator.negative_slope=0,0.2");
  auto& sweep =
      add_bench(command, action, arguments, "sweep",
                "Compare parallel arms with one thread each to sequential arms with all threads", run_sweep_bench);
  add_integer(sweep, "--arms", arguments->arms, "Number of arms")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  add_integer(sweep, "--rounds", arguments->rounds, "Number of rounds")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  command.footer(
      "Writes a table to stderr and JSON to stdout. Every round measures all rows, so that other load on the machine\n"
      "affects all of them alike. Compare only rows from the same invocation. The time of a training step includes "
      "its\n"
      "share of the penalties (loss.r1, loss.r2, loss.gradient_penalty); their operations are not counted in G/s and\n"
      "'of peak'.");
}

}  // namespace slopegan
