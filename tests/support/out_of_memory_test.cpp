#include "support/out_of_memory.h"

#include <new>
#include <stdexcept>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Error messages of LibTorch and OpenCV.
constexpr auto cpu_message =
    "[enforce fail at alloc_cpu.cpp:126] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "3221225472 bytes. Error code 12 (Cannot allocate memory)\nframe #0: c10::ThrowEnforceNotMet";
constexpr auto cuda_message =
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 139.81 GiB";
constexpr auto cuda_context_message =
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call";
constexpr auto cublas_message = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`";
constexpr auto cudnn_message = "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED";
constexpr auto opencv_message =
    "OpenCV(4.6.0) ./modules/core/src/alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes";

TEST(OutOfMemory, IsRecognisedInTheErrorsOfEveryAllocator) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_TRUE(is_out_of_memory(std::bad_array_new_length()));
  EXPECT_TRUE(is_out_of_memory(std::system_error(std::make_error_code(std::errc::not_enough_memory))));
  for (const char* message :
       {cpu_message, cuda_message, cuda_context_message, cublas_message, cudnn_message, opencv_message}) {
    EXPECT_TRUE(is_out_of_memory(std::runtime_error(message))) << message;
  }
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("expected a tensor")));
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("CUDA error: an illegal memory access was encountered")));
  EXPECT_FALSE(is_out_of_memory(std::system_error(std::make_error_code(std::errc::no_space_on_device))));
}

std::string explanation_of(const char* message) {
  return message_of<OutOfMemoryError>(
      [&] { explain_memory("drawing", "lower the count", [&]() -> int { throw std::runtime_error(message); }); });
}

TEST(OutOfMemory, IsExplainedWithTheActivityTheAmountAndARemedy) {
  EXPECT_THAT(explanation_of(cpu_message),
              ::testing::MatchesRegex("out of memory while drawing: 3.0 GiB more was needed, and the process uses "
                                      "[0-9.]* [MG]iB of [0-9.]* [MG]iB; to reduce memory use, lower the count"));
  EXPECT_EQ(explanation_of(cuda_message),
            "out of memory while drawing: 2.50 GiB more was needed on the GPU; to reduce memory use, lower "
            "the count");
  EXPECT_THAT(explanation_of(cuda_context_message), HasSubstr(": the GPU has too little free memory; to"));
  EXPECT_THAT(explanation_of(opencv_message), HasSubstr("while drawing: the process uses "));
}

TEST(OutOfMemory, IsExplainedByTheInnermostCallAndHasTheExitCodeOfAnIoError) {
  const auto nested = [] {
    return explain_memory("training", "lower the batch size", [] {
      return explain_memory("evaluating", "lower the samples", []() -> int { throw std::bad_alloc(); });
    });
  };
  EXPECT_THAT(message_of<OutOfMemoryError>(nested), HasSubstr("while evaluating"));
  EXPECT_EQ(OutOfMemoryError("x").code(), ExitCode::io);
  EXPECT_EQ(explain_memory("a", "b", [] { return 3; }), 3);
  EXPECT_THROW(explain_memory("a", "b", []() -> int { throw std::invalid_argument("x"); }), std::invalid_argument);
}

TEST(OutOfThreads, IsAnIoErrorThatNamesTheLimits) {
  const std::system_error refused(std::make_error_code(std::errc::resource_unavailable_try_again));
  EXPECT_TRUE(is_out_of_threads(refused));
  EXPECT_FALSE(is_out_of_memory(refused));
  EXPECT_FALSE(is_out_of_threads(std::system_error(std::make_error_code(std::errc::not_enough_memory))));
  EXPECT_FALSE(is_out_of_threads(std::runtime_error(refused.what())));
  EXPECT_THAT(explain_thread_limit(refused).what(),
              AllOf(HasSubstr("cannot start a thread (Resource temporarily unavailable): "), HasSubstr("ulimit -u")));
  EXPECT_EQ(explain_thread_limit(refused).code(), ExitCode::io);
}

}  // namespace
}  // namespace slopegan
