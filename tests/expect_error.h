#pragma once

#include <string>

#include <gtest/gtest.h>

namespace slopegan {

/// The message of the `Expected` that `action` throws; a test failure and an empty text where it throws none.
template <typename Expected, typename Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Expected& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another exception was thrown: " << error.what();
    return "";
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace slopegan
