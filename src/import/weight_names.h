#pragma once

#include <filesystem>

#include "models/named_tensors.h"

/// Weights that other programs wrote, and exports of this program.
namespace slopegan {

/// If `file` is a PyTorch pickle, a TorchScript or an ONNX file, throws a CheckpointError that explains what to do
/// instead. Other files, including unreadable ones, are accepted.
void refuse_other_formats(const std::filesystem::path& file);

/// Renames the tensors of a GAN to the names used in checkpoints: generator.*, ema.*, discriminator.*
/// (block0.conv.weight …). A checkpoint's optimiser tensors and counters keep their names.
///
/// Accepts checkpoints of this program, its exports to safetensors (the averaged generator), and state dicts of
/// networks like PyTorch's DCGAN example, which are sequences of convolutions, batch norms and PReLUs (main.0.weight
/// …). Networks are recognised by the first part of a name, such as generator, netG, G_ema or netD; without such a
/// part, the tensors belong to the generator. Parts that wrappers add (module by DataParallel, _orig_mod by
/// torch.compile, state_dict …) are ignored. Tensors with floating-point dtypes are converted to float32.
///
/// Throws a CheckpointError that names the tensor if a name is not recognised.
NamedTensors with_checkpoint_names(const NamedTensors& tensors);

}  // namespace slopegan
