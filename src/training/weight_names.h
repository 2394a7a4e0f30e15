#pragma once

#include "models/named_tensors.h"

namespace slopegan {

/// Renames the tensors of a GAN to the names of a checkpoint: generator.*, ema.*, discriminator.* (block0.conv.weight
/// …). Tensors of the optimisers and counters of a checkpoint keep their names.
///
/// Accepts checkpoints of this program, its exports to safetensors (the averaged generator), and state dicts of
/// networks like PyTorch's DCGAN example, which are sequences of convolutions, batch norms and PReLUs (main.0.weight
/// …). Networks are recognised by a first part such as generator, netG, G_ema or netD; without one, the tensors are a
/// generator's. Parts that wrappers add (module of DataParallel, _orig_mod of torch.compile, state_dict …) are ignored.
/// Tensors of floating-point dtypes are converted to float32.
///
/// Throws CheckpointError, which names the tensor, for other names.
NamedTensors with_checkpoint_names(const NamedTensors& tensors);

}  // namespace slopegan
