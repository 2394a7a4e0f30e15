// Runs an exported generator with OpenCV's dnn module. A test runs the program as
//   slopegan_opencv_dnn GENERATOR.onnx LATENTS IMAGES LATENT_DIM
// It reads float32 latents of shape [N, LATENT_DIM] from the file LATENTS and writes the images to the file IMAGES.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <opencv2/dnn.hpp>

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  std::ifstream input(argv[2], std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(input), {}};
  const int latent_dim = std::atoi(argv[4]);
  const int count = static_cast<int>(bytes.size() / sizeof(float)) / latent_dim;
  cv::dnn::Net network = cv::dnn::readNetFromONNX(argv[1]);
  network.setInput(cv::Mat(count, latent_dim, CV_32F, bytes.data()), "latents");
  const cv::Mat images = network.forward("images");
  std::ofstream output(argv[3], std::ios::binary);
  output.write(reinterpret_cast<const char*>(images.data),
               static_cast<std::streamsize>(images.total() * sizeof(float)));
  return output.good() ? 0 : 1;
}
