#include "training/emulated_device.h"

#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/detail/HPUHooksInterface.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include "training/recorded_step.h"

namespace slopegan::emulated {

namespace {

using torch::jit::Stack;
using Tensors = std::vector<at::Tensor>;

// --- Memory ----------------------------------------------------------------------------------------------------------

struct Memory : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = std::malloc(bytes > 0 ? bytes : 1);
    return {data, data, std::free, device};
  }
  c10::DeleterFnPtr raw_deleter() const override { return std::free; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }
};
Memory memory;
const bool memory_is_known = (c10::SetAllocator(c10::DeviceType::HPU, &memory), true);

struct Guard : c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::HPU> {
  c10::Device exchangeDevice(c10::Device) const override { return device; }
  c10::Device getDevice() const override { return device; }
  c10::Stream getStream(c10::Device) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, device); }
};
C10_REGISTER_GUARD_IMPL(HPU, Guard);

struct Hooks : at::HPUHooksInterface {
  void init() const override {}
  bool hasHPU() const override { return is_possible(); }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    static const at::Generator generator = at::detail::createCPUGenerator();  // required by at::manual_seed
    return generator;
  }
  bool isBuilt() const override { return is_possible(); }
  bool isAvailable() const override { return is_possible(); }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
};
const bool hooks_are_known =
    (at::HPUHooksRegistry()->Register(
         "HPUHooks",
         [](at::HPUHooksArgs) -> std::unique_ptr<at::HPUHooksInterface> { return std::make_unique<Hooks>(); }),
     true);

constexpr c10::DispatchKeySet keys(c10::DispatchKey::HPU);

bool is_on_device(const at::Tensor& tensor) { return tensor.defined() && tensor.device() == device; }

/// Registers a new tensor with the graph that is being recorded, if any.
at::Tensor registered(const at::Tensor& tensor);

at::Tensor make_empty(at::IntArrayRef sizes, std::optional<at::ScalarType> type, std::optional<at::Layout>,
                      std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return registered(at::detail::empty_generic(sizes, &memory, keys, type.value_or(at::kFloat), format));
}

at::Tensor make_empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides, std::optional<at::ScalarType> type,
                              std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return registered(at::detail::empty_strided_generic(sizes, strides, &memory, keys, type.value_or(at::kFloat)));
}

/// A CPU tensor that shares the memory of a device tensor.
at::Tensor on_cpu(const at::Tensor& tensor) {
  if (!is_on_device(tensor)) return tensor;
  return at::from_blob(tensor.mutable_data_ptr(), tensor.sizes(), tensor.strides(), tensor.options().device(at::kCPU));
}

/// Copies a CPU tensor to the device.
at::Tensor to_device(const at::Tensor& tensor) {
  if (!tensor.defined()) return tensor;
  if (!tensor.is_non_overlapping_and_dense()) return to_device(tensor.contiguous());
  auto here = make_empty_strided(tensor.sizes(), tensor.strides(), tensor.scalar_type(), {}, {}, {});
  on_cpu(here).copy_(tensor);
  return here;
}

// --- Recording -------------------------------------------------------------------------------------------------------

/// Computes on CPU tensors and returns new ones.
using Work = std::function<Tensors()>;

struct Entry {
  Work work;
  Tensors arguments, results;
};

class Graph : public DeviceGraph {
 public:
  explicit Graph(bool fail) : fails_(fail) {}
  void begin() override { recording_ = this; }
  void end() override {
    recording_ = nullptr;
    for (const auto& [address, bytes] : before_) std::memcpy(address, bytes.data(), bytes.size());
    for (const auto& storage : new_storages_) std::memset(storage.mutable_data(), 0xff, storage.nbytes());  // NaN
  }
  void replay() override {
    ++launched_;
    for (const auto& entry : entries_) {
      const auto results = entry.work();
      for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i].defined()) on_cpu(entry.results[i]).copy_(results[i]);
      }
    }
  }

  /// Executes the operator to obtain the shapes of its results. end() undoes all changes.
  Tensors record(const Tensors& arguments, const Work& work) {
    TORCH_CHECK(!fails_ || entries_.size() < 20, "this emulated device records no more than 20 operators");
    for (const auto& argument : arguments) {
      auto* address = static_cast<char*>(argument.storage().mutable_data());
      if (!new_addresses_.contains(address) && !before_.contains(address))
        before_[address] = {address, address + argument.storage().nbytes()};
    }
    Tensors results;
    for (const auto& result : work()) results.push_back(to_device(result));
    entries_.push_back({work, arguments, results});
    return results;
  }

  void add_storage(const c10::Storage& storage) {
    new_storages_.push_back(storage);
    new_addresses_.insert(static_cast<char*>(storage.mutable_data()));
  }

  static Graph* recording_;
  static std::atomic<std::int64_t> launched_;

 private:
  bool fails_;
  std::vector<Entry> entries_;
  std::map<char*, std::vector<char>> before_;
  std::vector<c10::Storage> new_storages_;  // kept alive, so that their addresses are not reused
  std::set<char*> new_addresses_;
};

Graph* Graph::recording_ = nullptr;
std::atomic<std::int64_t> Graph::launched_ = 0;

at::Tensor registered(const at::Tensor& tensor) {
  if (Graph::recording_) Graph::recording_->add_storage(tensor.storage());
  return tensor;
}

/// Runs or records an operator. `arguments` are the device tensors that it reads or changes.
Tensors run(const Tensors& arguments, const Work& work) {
  if (Graph::recording_) return Graph::recording_->record(arguments, work);
  ++Graph::launched_;
  Tensors results;
  for (const auto& result : work()) results.push_back(to_device(result));
  return results;
}

void forbid_while_recording(const char* what) { TORCH_CHECK(!Graph::recording_, what, " during a recording"); }

// --- Operators -------------------------------------------------------------------------------------------------------

/// Applies `change` to every tensor in the value.
template <typename Change>
c10::IValue changed(const c10::IValue& value, Change change) {
  if (value.isTensor()) return change(value.toTensor());
  if (value.isTensorList()) {
    c10::List<at::Tensor> list;
    for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(change(tensor));
    return list;
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> list;
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
      list.push_back(tensor ? std::optional(change(*tensor)) : std::nullopt);
    }
    return list;
  }
  if (value.isDevice()) return c10::Device(c10::DeviceType::CPU);
  return value;
}

/// Runs any operator with its CPU implementation.
void run_on_cpu(const c10::OperatorHandle& op, Stack* stack) {
  const auto& schema = op.schema();
  const auto count = schema.arguments().size();
  Stack arguments(stack->end() - static_cast<std::ptrdiff_t>(count), stack->end());
  Tensors here;
  for (auto& argument : arguments) {
    argument = changed(argument, [&](const at::Tensor& tensor) {
      if (is_on_device(tensor)) here.push_back(tensor);
      if (is_on_device(tensor) || !tensor.defined()) return tensor;
      TORCH_CHECK(tensor.dim() == 0, schema.name(), " got tensors from both the device and the CPU");
      return tensor.clone();  // a recorded operator keeps the current value
    });
  }
  TORCH_CHECK(!schema.is_mutable() || schema.returns().size() <= 1, schema.name(), " is not emulated");

  const bool is_new = !schema.is_mutable();
  const Work work = [op, arguments, is_new] {
    Stack there;
    for (const auto& argument : arguments) there.push_back(changed(argument, on_cpu));
    op.callBoxed(&there);
    Tensors results;
    for (const auto& result : there) {
      if (!is_new) continue;
      changed(result, [&](const at::Tensor& tensor) {
        results.push_back(tensor);
        return tensor;
      });
    }
    return results;
  };
  // The operator determines the size of empty outputs.
  if (!is_new && !here.empty() && here.back().numel() == 0 && schema.overload_name().find("out") != std::string::npos) {
    Stack there;
    for (const auto& argument : arguments) there.push_back(changed(argument, on_cpu));
    const auto out = at::empty({0}, here.back().options().device(at::kCPU));
    there.back() = out;
    op.callBoxed(&there);
    const auto sized = to_device(out);
    auto* output = here.back().unsafeGetTensorImpl();
    output->set_storage_keep_dtype(sized.storage());
    output->set_sizes_and_strides(sized.sizes(), sized.strides());
  }
  const auto results = run(here, work);
  torch::jit::drop(*stack, count);
  if (!is_new) {
    // In-place and out variants return the argument.
    for (const auto& returned : schema.returns()) {
      for (std::size_t i = 0; i < count; ++i) {
        const auto* alias = schema.arguments()[i].alias_info();
        if (alias && returned.alias_info() && *alias == *returned.alias_info()) stack->push_back(arguments[i]);
      }
    }
    return;
  }
  TORCH_CHECK(results.size() == schema.returns().size(), schema.name(), " is not emulated");
  for (const auto& result : results) stack->emplace_back(result);
}

at::Tensor copy(const at::Tensor& from, const at::Tensor& to, bool) {
  if (!is_on_device(from) || !is_on_device(to)) forbid_while_recording("a copy between the CPU and the device");
  Tensors here;
  for (const auto& tensor : {from, to}) {
    if (is_on_device(tensor)) here.push_back(tensor);
  }
  run(here, [=] {
    on_cpu(to).copy_(on_cpu(from));
    return Tensors();
  });
  return to;
}

at::Scalar read(const at::Tensor& tensor) {
  forbid_while_recording("reading a value");
  return on_cpu(tensor).item();
}

at::Tensor convolve(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                    c10::SymIntArrayRef stride, c10::SymIntArrayRef padding, c10::SymIntArrayRef dilation,
                    bool transposed, c10::SymIntArrayRef output_padding, c10::SymInt groups) {
  const auto ints = [](c10::SymIntArrayRef values) { return C10_AS_INTARRAYREF_SLOW(values).vec(); };
  const auto offset = bias.value_or(at::Tensor());
  Tensors here{input, weight};
  if (offset.defined()) here.push_back(offset);
  return run(here,
             [=, s = ints(stride), p = ints(padding), d = ints(dilation), o = ints(output_padding),
              g = groups.expect_int()] {
               return Tensors{
                   at::convolution(on_cpu(input), on_cpu(weight), on_cpu(offset), s, p, d, transposed, o, g)};
             })
      .front();
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolve_backward(const at::Tensor& gradient, const at::Tensor& input,
                                                                 const at::Tensor& weight, c10::SymIntArrayRef stride,
                                                                 c10::SymIntArrayRef padding,
                                                                 c10::SymIntArrayRef dilation, bool transposed,
                                                                 c10::SymIntArrayRef output_padding, c10::SymInt groups,
                                                                 std::array<bool, 3> wanted) {
  const auto ints = [](c10::SymIntArrayRef values) { return C10_AS_INTARRAYREF_SLOW(values).vec(); };
  const std::vector<std::int64_t> biases{weight.size(transposed ? 1 : 0)};
  const auto results = run({gradient, input, weight}, [=, s = ints(stride), p = ints(padding), d = ints(dilation),
                                                       o = ints(output_padding), g = groups.expect_int()] {
    const auto [of_input, of_weight, of_bias] = at::convolution_backward(
        on_cpu(gradient), on_cpu(input), on_cpu(weight), biases, s, p, d, transposed, o, g, wanted);
    return Tensors{of_input, of_weight, of_bias};
  });
  return {results[0], results[1], results[2]};
}

TORCH_LIBRARY_IMPL(_, HPU, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>()); }

TORCH_LIBRARY_IMPL(aten, HPU, m) {
  m.impl("empty.memory_format", TORCH_FN(make_empty));
  m.impl("empty_strided", TORCH_FN(make_empty_strided));
  m.impl("as_strided", TORCH_FN(at::native::as_strided_tensorimpl));
  m.impl("view", TORCH_FN(at::native::view));
  m.impl("_copy_from", TORCH_FN(copy));
  m.impl("_local_scalar_dense", TORCH_FN(read));
  m.impl("convolution_overrideable", TORCH_FN(convolve));
  m.impl("convolution_backward_overrideable", TORCH_FN(convolve_backward));
}

}  // namespace

bool is_possible() { return !at::detail::getCUDAHooks().isBuilt(); }

void provide_graphs(bool fail) {
  register_device_graphs(
      device.type(),
      fail ? +[]() -> std::unique_ptr<DeviceGraph> { return std::make_unique<Graph>(true); }
           : +[]() -> std::unique_ptr<DeviceGraph> { return std::make_unique<Graph>(false); });
}

std::int64_t operators_launched() { return Graph::launched_; }

}  // namespace slopegan::emulated
