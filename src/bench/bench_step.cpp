#include <memory>
#include <numeric>
#include <set>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "bench/bench.h"
#include "bench/busy_processes.h"
#include "sampling/samples.h"
#include "support/text.h"
#include "training/gan_step.h"

namespace slopegan {

namespace {

std::string type_name(at::ScalarType type) { return type == at::kBFloat16 ? "bfloat16" : "float32"; }

/// The references for the machine's peak rate with all threads of `compute`.
std::vector<BenchCase> references(const BenchVariant& variant, const Compute& compute) {
  const bool is_emulated = compute.type == at::kBFloat16 && !has_native_bfloat16(compute.device);
  const std::int64_t side = is_emulated ? 256 : 2048;  // an emulated product of size 2048 takes minutes
  const auto options = at::TensorOptions(compute.type).device(compute.device);
  const auto a = at::randn({side, side}, options), b = at::randn({side, side}, options);
  BenchCase product{.name = format_text("matrix product, size {}, {}", side, type_name(compute.type)),
                    .run =
                        [=] {
                          const at::NoGradGuard no_gradients;
                          apply_compute(compute);
                          at::mm(a, b);
                        },
                    .flop = 2.0 * static_cast<double>(side * side * side),
                    .group = type_name(compute.type),
                    .is_reference = true};

  const auto& config = variant.config;
  const std::int64_t size = config.data.resolution / 2, in = config.discriminator.width, out = 2 * in;
  const std::int64_t batch = config.training.batch_size;
  const auto maps = at::randn({batch, in, size, size}, options).contiguous(at::MemoryFormat::ChannelsLast);
  const auto weight = at::randn({out, in, 4, 4}, options).contiguous(at::MemoryFormat::ChannelsLast);
  BenchCase convolution{.name = format_text("convolution {} to {} at {}, {}", in, out, size, type_name(compute.type)),
                        .run =
                            [=] {
                              const at::NoGradGuard no_gradients;
                              apply_compute(compute);
                              at::conv2d(maps, weight, {}, 2, 1);
                            },
                        .flop = 2.0 * static_cast<double>(batch * size * size / 4 * in * out * 16),
                        .group = type_name(compute.type),
                        .is_reference = true};
  return {product, convolution};
}

/// The training state that a benchmark measures.
struct BenchedTraining {
  BenchedTraining(const BenchVariant& variant, const Compute& where, std::int64_t channels)
      : config(endless(variant.config)), compute(where), state(config, channels, compute.device) {}

  /// Makes the run so long that schedules over the whole run stay at their initial values.
  static Config endless(Config config) {
    config.training.total_images = std::int64_t{1} << 40;
    return config;
  }

  Config config;
  Compute compute;
  GanState state;
  GanStep step{state, config, compute};
};

/// The period of the penalties in steps: R1 and R2 are computed for every r1_every-th batch, and a step uses
/// discriminator_steps batches.
int steps_between_penalties(const Config& config) {
  if (config.loss.r1 <= 0 && config.loss.r2 <= 0) return 1;
  return static_cast<int>(config.loss.r1_every / std::gcd(config.loss.r1_every, config.optimizer.discriminator_steps));
}

BenchCase step_case(const BenchVariant& variant, const Compute& compute, std::int64_t channels) {
  const auto training = std::make_shared<BenchedTraining>(variant, compute, channels);
  const auto& config = training->config;
  const std::int64_t resolution = config.data.resolution, batch = config.training.batch_size;
  const std::int64_t batch_count = config.optimizer.discriminator_steps;
  const RealImages reals(at::rand({batch, channels, resolution, resolution}) * 2 - 1);
  const std::vector<RealImages> batches(static_cast<std::size_t>(batch_count), reals);
  const int steps = steps_between_penalties(config);
  return {.name = "step, " + variant.name,
          .run =
              [=] {
                apply_compute(training->compute);
                for (int i = 0; i < steps; ++i) training->step.take(batches);
              },
          .images = static_cast<double>(batch * batch_count),
          .flop = step_flop(*training->state.generator, *training->state.discriminator, resolution, batch_count) *
                  static_cast<double>(batch),
          .group = type_name(compute.type),
          .repeats = steps};
}

BenchCase inference_case(const BenchVariant& variant, std::int64_t batch, std::int64_t channels) {
  const Compute compute = choose_compute(variant.config.training);
  const auto generator = std::make_shared<Generator>(variant.config.generator, variant.config.data.resolution, channels,
                                                     static_cast<std::uint64_t>(variant.config.seed));
  (*generator)->initialise(variant.config.init, static_cast<std::uint64_t>(variant.config.seed));
  (*generator)->to(compute.device);
  const InferenceGenerator inference(*generator, compute.type);
  const auto latents = sample_latents(variant.config, batch);
  return {.name = format_text("{} at a time, {}", batch, variant.name),
          .run =
              [=] {
                apply_compute(compute);
                generate_images(inference, latents);
              },
          .images = static_cast<double>(batch),
          .flop = forward_flop(**generator, 1) * static_cast<double>(batch)};
}

}  // namespace

double forward_flop(const BlockChainImpl& network, std::int64_t size) {
  double flop = 0;
  for (const auto& block : network.blocks) {
    const auto& o = block->conv->options();
    const std::int64_t output = block->conv->output_size(size);
    const std::int64_t side =
        o.transposed ? size : output;  // k² products per channel pair and position in the smaller feature map
    flop += 2.0 * static_cast<double>(o.in_channels * o.out_channels * o.kernel * o.kernel * side * side);
    size = output;
  }
  return flop;
}

double step_flop(const BlockChainImpl& generator, const BlockChainImpl& discriminator, std::int64_t resolution,
                 std::int64_t discriminator_steps) {
  const auto further = static_cast<double>(discriminator_steps - 1);
  return (8 + 6 * further) * forward_flop(discriminator, resolution) + (3 + further) * forward_flop(generator, 1);
}

/// Measures `steps` again on a busy machine and appends the rows to `result`, whose last rows are the measurements of
/// the same steps on the quiet machine.
static void measure_busy(BenchResult& result, std::vector<BenchCase> steps, int busy, const RoundOptions& options) {
  for (auto& step : steps) {
    step.name += format_text(", {} busy process{}", busy, busy == 1 ? "" : "es");
    step.group = "";  // the peak was measured on the quiet machine
  }
  const std::size_t first_quiet = result.rows.size() - steps.size();
  const BusyProcesses processes(busy);
  auto rows = run_bench(result.name, steps, options).rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].of_quiet = rows[i].images_per_second() / result.rows[first_quiet + i].images_per_second();
    result.rows.push_back(std::move(rows[i]));
  }
}

BenchResult bench_step(const std::vector<BenchVariant>& variants, std::int64_t channels, const RoundOptions& options,
                       int busy) {
  std::vector<BenchCase> steps, cases;
  for (const auto& variant : variants) {
    steps.push_back(step_case(variant, choose_compute(variant.config.training), channels));
    for (int warm_up = 0; warm_up < 3; ++warm_up) steps.back().run();
  }
  const double memory = peak_memory_mib();  // before the references allocate their matrices
  std::set<at::ScalarType> types;
  for (const auto& variant : variants) {
    const Compute compute = choose_compute(variant.config.training);
    if (types.insert(compute.type).second) {
      for (auto& reference : references(variants.front(), compute)) cases.push_back(std::move(reference));
    }
  }
  cases.insert(cases.end(), steps.begin(), steps.end());
  auto result = run_bench("step", cases, options);
  result.peak_memory_mib = memory;
  if (busy > 0) measure_busy(result, std::move(steps), busy, options);
  return result;
}

BenchResult bench_inference(const std::vector<BenchVariant>& variants, std::int64_t channels,
                            const RoundOptions& options) {
  std::vector<BenchCase> cases;
  for (const std::int64_t batch : {1, 64}) {
    for (const auto& variant : variants) cases.push_back(inference_case(variant, batch, channels));
  }
  return run_bench("inference", cases, options);
}

}  // namespace slopegan
