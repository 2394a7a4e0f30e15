#include "support/out_of_memory.h"

#include <algorithm>
#include <array>
#include <new>
#include <span>
#include <string_view>
#include <sys/resource.h>
#include <system_error>

#include "support/machine.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Parts of the error messages of the allocators of LibTorch on the CPU, OpenCV and the C library.
constexpr std::array<std::string_view, 4> allocator_messages = {"can't allocate memory", "not enough memory",
                                                                "Insufficient memory", "Cannot allocate memory"};
/// The same for a GPU: LibTorch's allocator, CUDA ("CUDA error: out of memory"), and cuBLAS and cuDNN, whose status
/// names contain the last two strings.
constexpr std::array<std::string_view, 4> gpu_messages = {"CUDA out of memory", "error: out of memory", "ALLOC_FAILED",
                                                          "ALLOCATION_FAILED"};

bool contains_any(std::string_view message, std::span<const std::string_view> parts) {
  return std::ranges::any_of(parts, [&](std::string_view part) { return message.find(part) != message.npos; });
}

std::string memory_text(double bytes) {
  const double mebibytes = bytes / (1024.0 * 1024.0);
  return mebibytes < 1024 ? format_text("{:.0f} MiB", mebibytes) : format_text("{:.1f} GiB", mebibytes / 1024);
}

/// "1.5 GiB" from "... tried to allocate 1610612736 bytes ..." or "... Tried to allocate 1.50 GiB ..."; empty if the
/// message contains no amount.
std::string wanted_memory(const std::string& message) {
  constexpr std::string_view before = "ried to allocate ";
  const auto found = message.find(before);
  if (found == std::string::npos) return "";
  const auto begin = found + before.size(), unit = message.find(' ', begin);
  if (unit == std::string::npos) return "";
  const auto end = message.find_first_of(" .(", unit + 1);
  const std::string amount = message.substr(begin, unit - begin), name = message.substr(unit + 1, end - unit - 1);
  if (amount.find_first_not_of("0123456789.") != std::string::npos) return "";
  return name == "bytes" ? memory_text(std::stod(amount)) : amount + " " + printable(name, 8);
}

}  // namespace

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const auto* system = dynamic_cast<const std::system_error*>(&error);
  if (system != nullptr && system->code() == std::errc::not_enough_memory) return true;
  return contains_any(error.what(), allocator_messages) || contains_any(error.what(), gpu_messages);
}

OutOfMemoryError explain(const std::exception& error, const std::string& activity, const std::string& remedy) {
  const std::string wanted = wanted_memory(error.what());
  if (contains_any(error.what(), gpu_messages)) {
    return OutOfMemoryError(format_text(
        "out of memory while {}: {}; to reduce memory use, {}", activity,
        wanted.empty() ? "the GPU has too little free memory" : wanted + " more was needed on the GPU", remedy));
  }
  auto limit = static_cast<double>(usable_memory_bytes());
  rlimit address_space{};
  if (::getrlimit(RLIMIT_AS, &address_space) == 0 && address_space.rlim_cur != RLIM_INFINITY) {
    limit = std::min(limit, static_cast<double>(address_space.rlim_cur));
  }
  return OutOfMemoryError(format_text("out of memory while {}: {}the process uses {} of {}; to reduce memory use, {}",
                                      activity, wanted.empty() ? "" : wanted + " more was needed, and ",
                                      memory_text(resident_memory_bytes()), memory_text(limit), remedy));
}

bool is_out_of_threads(const std::exception& error) {
  const auto* system = dynamic_cast<const std::system_error*>(&error);
  return system != nullptr && system->code() == std::errc::resource_unavailable_try_again;
}

IoError explain_thread_limit(const std::exception& error) {
  return IoError(format_text(
      "cannot start a thread ({}): the process has reached a limit on processes and threads (ulimit -u, or pids.max of "
      "the container) or on its address space (ulimit -v); raise the limit, or lower training.threads or sweep.jobs",
      printable(error.what())));
}

}  // namespace slopegan
