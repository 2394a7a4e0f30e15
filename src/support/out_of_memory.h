#pragma once

#include <exception>
#include <string>

#include "support/errors.h"

namespace slopegan {

/// Thrown if memory is exhausted.
struct OutOfMemoryError : Error {
  explicit OutOfMemoryError(const std::string& message) : Error(ExitCode::io, message) {}
};

/// Whether the exception means that memory is exhausted: std::bad_alloc, or an error from LibTorch's or OpenCV's
/// allocators, from a GPU library or from a system call.
bool is_out_of_memory(const std::exception& error);

/// Returns an error whose message states the activity, the memory that it needed, the memory that the process uses
/// (omitted for a GPU), and a way to use less. `activity` continues "out of memory while"; `remedy` continues "to
/// reduce memory use, ".
OutOfMemoryError explain(const std::exception& error, const std::string& activity, const std::string& remedy);

/// Calls action(). If memory is exhausted, throws OutOfMemoryError instead of the original exception. An
/// OutOfMemoryError from a nested call is passed on unchanged.
template <class Action>
decltype(auto) explain_memory(const std::string& activity, const std::string& remedy, Action&& action) {
  try {
    return action();
  } catch (const OutOfMemoryError&) {
    throw;
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) throw explain(error, activity, remedy);
    throw;
  }
}

/// Whether the exception means that the system refused to start a thread.
bool is_out_of_threads(const std::exception& error);

/// Returns an error that names the limits that prevent a thread from starting. `error` must satisfy is_out_of_threads.
IoError explain_thread_limit(const std::exception& error);

}  // namespace slopegan
