#include "layers/strided_convolution.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "layers/leaky_relu.h"
#include "layers/tiled_products.h"
#include "layers/tiles.h"

namespace slopegan {

// --- PreparedWeight

namespace {

/// plain [low, 16, high] -> [part][taps · high, low].
template <typename T>
void transpose_parts(const T* plain, T* output, std::int64_t low, std::int64_t high) {
  const std::int64_t row = tiles::places * high;
  // Parts consist of consecutive whole columns, so blocks of columns can be transposed independently. The number of
  // columns in a block is even, because bfloat16 rows are interleaved in pairs.
  constexpr std::int64_t at_once = 64;
  at::parallel_for(0, (row + at_once - 1) / at_once, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto scratch = tiles::make_buffer<T>(at_once * low);
    for (std::int64_t first = begin * at_once; first < std::min(end * at_once, row); first += at_once) {
      const std::int64_t count = std::min(at_once, row - first);
      tiles::write_factor(output + first * low, scratch.get(), count, low,
                          [&](T* rows) { kernels::transpose(plain + first, rows, low, count, row); });
    }
  });
}

/// plain [low, 16, high] -> [part][low, taps · high].
template <typename T>
void cut_parts(const T* plain, T* output, std::int64_t low, std::int64_t high) {
  const auto parts = tiles::parts_of_patch(high, tiles::transposed_columns);
  const std::int64_t columns = parts.front().count() * high, row = tiles::places * high;
  at::parallel_for(0, static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    const auto scratch = tiles::make_buffer<T>(low * columns);
    for (std::int64_t part = begin; part < end; ++part) {
      const auto& taps = parts[static_cast<std::size_t>(part)];
      const T* source = plain + (taps.top * tiles::side + taps.left) * high;
      tiles::write_factor(output + part * low * columns, scratch.get(), low, columns, [&](T* rows) {
        for (std::int64_t l = 0; l < low; ++l) std::copy_n(source + l * row, columns, rows + l * columns);
      });
    }
  });
}

}  // namespace

PreparedWeight::PreparedWeight(const at::Tensor& weight, at::ScalarType type) : weight_(weight.detach()), type_(type) {}

const at::Tensor& PreparedWeight::compute_plain() {
  if (!plain_.defined()) plain_ = channels_last(weight_.to(type_, false, false, at::MemoryFormat::ChannelsLast));
  return plain_;
}

const at::Tensor& PreparedWeight::plain() {
  const std::lock_guard lock(mutex_);
  return compute_plain();
}

/// Computes the layout, unless it already exists, by calling write(plain values, output, low, high).
template <typename Write>
const at::Tensor& PreparedWeight::compute(at::Tensor& layout, Write write) {
  const std::lock_guard lock(mutex_);
  if (layout.defined()) return layout;
  layout = at::empty({weight_.numel()}, weight_.options().dtype(type_));
  tiles::dispatch(type_, [&](auto tag) {
    using T = decltype(tag);
    write(tiles::values<T>(compute_plain()), static_cast<T*>(layout.mutable_data_ptr()), weight_.size(0),
          weight_.size(1));
  });
  return layout;
}

const at::Tensor& PreparedWeight::for_convolving() {
  return compute(convolving_, [](auto... arguments) { transpose_parts(arguments...); });
}

const at::Tensor& PreparedWeight::for_transposing() {
  return compute(transposing_, [](auto... arguments) { cut_parts(arguments...); });
}

// --- Strided convolutions

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kernel = 4, stride = 2, padding = 1;

// The three products: the convolution, the transposed convolution and the gradient of the weight. The gradients of each
// product are the other two, so derivatives of any order consist of these products.

ProductShape shape_of(const at::Tensor& small, std::int64_t high) {
  return {small.size(0), small.size(1), high, small.size(2), small.size(3)};
}

at::Tensor convolve(const at::Tensor& big, PreparedWeight& weight, std::int64_t low) {
  const ProductShape shape{big.size(0), low, big.size(1), big.size(2) / 2, big.size(3) / 2};
  return compute_product(Product::convolve, big.scalar_type(), shape, [&](bool in_tiles) {
    return in_tiles ? convolve_in_tiles(channels_last(big), weight, low)
                    : at::conv2d(channels_last(big), weight.plain(), {}, stride, padding);
  });
}

at::Tensor transpose(const at::Tensor& small, PreparedWeight& weight, std::int64_t high) {
  const auto type = small.scalar_type();
  return compute_product(Product::transpose, type, shape_of(small, high), [&](bool in_tiles) {
    if (in_tiles) return transpose_in_tiles(channels_last(small), weight, high);
    if (is_thin(type, high)) return transpose_thin(small, weight.plain());
    return at::conv_transpose2d(channels_last(small), weight.plain(), {}, stride, padding);
  });
}

/// The gradient of the weight, [low, high, 4, 4]. `big` [N, high, 2H, 2W] and `small` [N, low, H, W] are the feature
/// maps on the two sides of the convolution; one of them is a gradient.
at::Tensor correlate(const at::Tensor& big, const at::Tensor& small, at::ScalarType type) {
  return compute_product(Product::correlate, small.scalar_type(), shape_of(small, big.size(1)), [&](bool in_tiles) {
    if (in_tiles) return correlate_in_tiles(channels_last(big), channels_last(small)).to(type);
    // The values of this weight are not read.
    const auto weight = at::empty({small.size(1), big.size(1), kernel, kernel}, big.options());
    const std::vector<std::int64_t> strides(2, stride), paddings(2, padding), ones(2, 1), zeros(2, 0);
    const auto gradients = at::convolution_backward(channels_last(small), channels_last(big), weight, {}, strides,
                                                    paddings, ones, false, zeros, 1, {false, true, false});
    return std::get<1>(gradients).to(type);
  });
}

struct Convolve : torch::autograd::Function<Convolve> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& weight,
                            const PreparedWeightPtr& prepared);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};
struct Transpose : torch::autograd::Function<Transpose> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& small, const at::Tensor& weight,
                            const PreparedWeightPtr& prepared);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};
struct Correlate : torch::autograd::Function<Correlate> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& small,
                            at::ScalarType type);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};

void save(AutogradContext& context, const PreparedWeightPtr& prepared) {
  context.saved_data["prepared"] = c10::IValue::make_capsule(prepared);
}
PreparedWeightPtr saved_weight(AutogradContext& context) {
  return c10::static_intrusive_pointer_cast<PreparedWeight>(context.saved_data["prepared"].toCapsule());
}

at::Tensor Convolve::forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& weight,
                             const PreparedWeightPtr& prepared) {
  context->save_for_backward({big, weight});
  save(*context, prepared);
  return convolve(big, *prepared, weight.size(0));
}
variable_list Convolve::backward(AutogradContext* context, const variable_list& gradients) {
  const auto saved = context->get_saved_variables();
  const auto &big = saved[0], &weight = saved[1], &small = gradients[0];
  variable_list results(3);
  if (context->needs_input_grad(0)) results[0] = Transpose::apply(small, weight, saved_weight(*context));
  if (context->needs_input_grad(1)) results[1] = Correlate::apply(big, small, weight.scalar_type());
  return results;
}

at::Tensor Transpose::forward(AutogradContext* context, const at::Tensor& small, const at::Tensor& weight,
                              const PreparedWeightPtr& prepared) {
  context->save_for_backward({small, weight});
  save(*context, prepared);
  return transpose(small, *prepared, weight.size(1));
}
variable_list Transpose::backward(AutogradContext* context, const variable_list& gradients) {
  const auto saved = context->get_saved_variables();
  const auto &small = saved[0], &weight = saved[1], &big = gradients[0];
  variable_list results(3);
  if (context->needs_input_grad(0)) results[0] = Convolve::apply(big, weight, saved_weight(*context));
  if (context->needs_input_grad(1)) results[1] = Correlate::apply(big, small, weight.scalar_type());
  return results;
}

at::Tensor Correlate::forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& small,
                              at::ScalarType type) {
  context->save_for_backward({big, small});
  return correlate(big, small, type);
}
variable_list Correlate::backward(AutogradContext* context, const variable_list& gradients) {
  const auto saved = context->get_saved_variables();
  const auto &big = saved[0], &small = saved[1], &weight = gradients[0];
  variable_list results(3);
  if (context->needs_input_grad(0)) results[0] = strided_convolution_transposed(small, weight);
  if (context->needs_input_grad(1)) results[1] = strided_convolution(big, weight);
  return results;
}

}  // namespace

/// Checks the arguments, and prepares the weight unless it is already prepared. The number of channels in `maps` must
/// equal the size of the weight's dimension `channels`.
static PreparedWeightPtr prepare(const at::Tensor& maps, const at::Tensor& weight, std::int64_t channels,
                                 const PreparedWeightPtr& prepared) {
  const auto type = maps.scalar_type();
  TORCH_CHECK_VALUE(maps.is_cpu() && (type == at::kFloat || type == at::kDouble || type == at::kBFloat16),
                    "a strided convolution needs float32, float64 or bfloat16 on the CPU, got ", type, " on ",
                    maps.device());
  TORCH_CHECK_VALUE(weight.dim() == 4 && weight.size(2) == kernel && weight.size(3) == kernel,
                    "a strided convolution needs a weight [low, high, 4, 4], got ", weight.sizes());
  TORCH_CHECK_VALUE(maps.dim() == 4 && maps.size(1) == weight.size(channels), "maps of shape ", maps.sizes(),
                    " do not fit a weight of shape ", weight.sizes());
  if (!prepared) return c10::make_intrusive<PreparedWeight>(weight, type);
  TORCH_CHECK_VALUE(prepared->type() == type && prepared->sizes() == weight.sizes(), "the prepared weight of shape ",
                    prepared->sizes(), " for ", prepared->type(), " does not fit a weight of shape ", weight.sizes(),
                    " and maps of ", type);
  return prepared;
}

at::Tensor strided_convolution(const at::Tensor& maps, const at::Tensor& weight, const PreparedWeightPtr& prepared) {
  const auto ready = prepare(maps, weight, /*channels=*/1, prepared);
  TORCH_CHECK_VALUE(maps.size(2) % 2 == 0 && maps.size(3) % 2 == 0, "a strided convolution needs even sides, got ",
                    maps.sizes());
  return Convolve::apply(maps, weight, ready);
}

at::Tensor strided_convolution_transposed(const at::Tensor& maps, const at::Tensor& weight,
                                          const PreparedWeightPtr& prepared) {
  return Transpose::apply(maps, weight, prepare(maps, weight, /*channels=*/0, prepared));
}

// --- FixedTransposedConvolution

namespace {

const std::vector<std::int64_t> twos(2, 2), ones(2, 1), zeros(2, 0);

using Scalars = c10::List<std::optional<at::Scalar>>;
using Reorder = at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                           std::int64_t, at::OptionalIntArrayRef);
using Pointwise = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                             at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t, std::string_view, Scalars,
                             std::optional<std::string_view>);

/// Finds an operator that LibTorch registers for torch.compile but does not declare in a header.
template <typename Signature>
c10::TypedOperatorHandle<Signature> onednn_operator(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

}  // namespace

FixedTransposedConvolution::FixedTransposedConvolution(const at::Tensor& weight, const at::Tensor& bias,
                                                       at::ScalarType type, double negative_slope)
    : low_(weight.size(0)),
      high_(weight.size(1)),
      negative_slope_(negative_slope),
      bias_(bias.detach().to(at::kFloat).contiguous()),
      weight_(c10::make_intrusive<PreparedWeight>(weight, type)) {
  TORCH_CHECK_VALUE(type == at::kFloat || type == at::kBFloat16, "expected float32 or bfloat16, got ", type);
  TORCH_CHECK_VALUE(negative_slope >= 0, "expected a negative slope of 0 or more, got ", negative_slope);
  if (!at::globalContext().hasMKLDNN()) return;
  const at::NoGradGuard no_gradients;
  static const auto reorder = onednn_operator<Reorder>("mkldnn::_reorder_convolution_transpose_weight");
  try {
    packed_ = reorder.call(weight_->plain(), ones, zeros, twos, ones, 1, std::nullopt);
  } catch (const c10::Error&) {
    // oneDNN does not support bfloat16 on processors without AVX-512. LibTorch's own convolution is used instead.
    if (type != at::kBFloat16) throw;
  }
}

at::Tensor FixedTransposedConvolution::operator()(const at::Tensor& maps) const {
  const at::NoGradGuard no_gradients;
  const auto type = maps.scalar_type();
  TORCH_CHECK_VALUE(type == weight_->type() && maps.dim() == 4 && maps.size(1) == low_, "expected [N, ", low_,
                    ", H, W] of ", weight_->type(), ", got ", maps.sizes(), " of ", type);
  const ProductShape shape{maps.size(0), low_, high_, maps.size(2), maps.size(3)};
  // A KernelSelector has no influence here, so an image does not depend on the batch in which it is generated.
  if (supports_tiles(Product::transpose, type, shape) && expects_tiles(Product::transpose, type, shape)) {
    return transpose_in_tiles(channels_last(maps), *weight_, high_, bias_, negative_slope_);
  }
  if (is_thin(type, high_)) return transpose_thin(maps, weight_->plain(), bias_, negative_slope_);
  if (packed_.defined()) return run_onednn(channels_last(maps));
  auto output = at::conv_transpose2d(maps, weight_->plain(), bias_.to(type), twos, ones);
  return slopegan::leaky_relu_(output, negative_slope_);
}

at::Tensor FixedTransposedConvolution::run_onednn(const at::Tensor& maps) const {
  static const auto convolve = onednn_operator<Pointwise>("mkldnn::_convolution_transpose_pointwise");
  // The operator's own leaky_relu is slower than a separate pass over the cached results (27,455 compared with 29,823
  // images/s for 64 images of 32×32 pixels), and turns NaN into 0 at slope 0.
  auto output =
      convolve.call(maps, packed_, bias_.to(maps.scalar_type()), ones, zeros, twos, ones, 1, "none", Scalars(), "");
  return negative_slope_ == 1 ? output : slopegan::leaky_relu_(output, negative_slope_);
}

}  // namespace slopegan
