#pragma once

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "images/image_file.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {

/// Writes bytes to a file, decodes it, and checks that the libraries write nothing to stderr.
class ImageDecoding : public ::testing::Test {
 protected:
  DecodedImage decode(const std::string& bytes, const DecodeOptions& options = {}) {
    const auto file = directory_.write("image.any", bytes);
    ::testing::internal::CaptureStderr();
    try {
      auto decoded = decode_image(file, options);
      EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::IsEmpty());
      return decoded;
    } catch (const Error&) {
      EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::IsEmpty());
      throw;
    }
  }
  std::string refusal(const std::string& bytes) {
    return message_of<DataError>([&] { decode(bytes); });
  }

  const TemporaryDirectory directory_;
};

}  // namespace slopegan
