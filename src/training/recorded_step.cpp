#include "training/recorded_step.h"

#include <exception>
#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "support/log.h"
#include "support/text.h"

namespace slopegan {

RecordedStep::RecordedStep(GanState& state, bool is_repeatable, Computation compute)
    : state_(state), may_record_(is_repeatable), compute_(std::move(compute)) {}

BatchResults RecordedStep::run(const StepInputs& inputs) {
  constexpr int unrecorded_batches = 2;
  if (!may_record_) return compute_(inputs);
  auto& recording = recordings_[{inputs.part.count, inputs.trains_generator, inputs.penalty_factor > 0}];
  if (!recording.graph) {
    const bool is_early = recording.batches_before++ < unrecorded_batches;
    if (is_early || recording.has_failed || !record(recording, inputs)) return compute_(inputs);
  }
  const auto targets = recording.inputs.tensors();
  auto current = inputs;
  const auto values = current.tensors();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i]->defined()) targets[i]->copy_(*values[i]);
  }
  recording.graph->replay();
  ++replayed_;
  for (const auto& [parameter, gradient] : recording.gradients) parameter.mutable_grad() = gradient;
  return recording.results;
}

bool RecordedStep::record(Recording& recording, const StepInputs& inputs) {
  auto graph = make_device_graph(inputs.real.device().type());
  if (!graph) return may_record_ = false;
  recording.has_failed = true;
  recording.inputs = inputs;
  for (auto* tensor : recording.inputs.tensors()) {
    if (tensor->defined()) *tensor = tensor->clone();
  }
  std::string reason;
  try {
    graph->begin();
    recording.results = compute_(recording.inputs);
    for (const auto* optimizer : {&state_.generator_optimizer, &state_.discriminator_optimizer}) {
      if (optimizer == &state_.generator_optimizer && !inputs.trains_generator) continue;
      for (const auto& slot : optimizer->slots()) {
        recording.gradients.emplace_back(slot.parameter, slot.parameter.grad());
      }
    }
  } catch (const std::exception& error) {
    reason = error.what();
  }
  try {
    graph->end();
  } catch (const std::exception& error) {
    if (reason.empty()) reason = error.what();
  }
  if (reason.empty()) {
    recording.graph = std::move(graph);
    recording.has_failed = false;
    return true;
  }
  if (!std::exchange(has_warned_, true)) {
    log::warning("the step could not be recorded as a graph and is computed operator by operator: " +
                 printable(reason.substr(0, reason.find('\n')), 300));
  }
  recording.inputs = {};
  recording.results = {};
  recording.gradients.clear();
  return false;
}

}  // namespace slopegan
