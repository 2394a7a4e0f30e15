#include <cstdio>
#include <layers/activation.h>
#include <layers/initialisation.h>
#include <layers/leaky_relu.h>

#include <ATen/ATen.h>

int main() {
  slopegan::LeakyReLU activation(slopegan::LeakyReLUOptions{0.1, /*inplace=*/true});
  const auto y = activation->forward(at::full({4}, -1.0)).sum().item<float>();
  const double gain = slopegan::leaky_relu_gain(1.0);
  std::printf("%.3f %.3f\n", y, gain);
  return y > -0.41f && y < -0.39f && gain == 1.0 ? 0 : 1;
}
