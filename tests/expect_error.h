#pragma once

#include <string>

#include <gtest/gtest.h>

namespace slopegan {

/// Returns the message of the `Expected` exception that `action` throws. If it does not throw one, adds a test failure
/// and returns an empty string.
template <typename Expected, typename Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Expected& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "unexpected exception: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no exception was thrown";
  return "";
}

}  // namespace slopegan
