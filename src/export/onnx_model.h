#pragma once

#include <string>
#include <string_view>

#include "export/network.h"

/// Models of the Open Neural Network Exchange (https://onnx.ai), as far as generators need them: a chain of Unsqueeze,
/// ConvTranspose, BatchNormalization, Relu, LeakyRelu, PRelu and Tanh. Opset 17.
namespace slopegan {

/// The bytes of an .onnx file with the input "latents", float32 [batch, latent_dim], and the output "images", float32
/// [batch, channels, resolution, resolution], where batch is any number. Initialisers have the names of state_dict.
std::string onnx_model(const ExportedNetwork& network);

/// The network that such a file describes. Safe for any bytes. Throws std::runtime_error for what onnx_model does not
/// write.
ExportedNetwork parse_onnx_model(std::string_view bytes);

}  // namespace slopegan
