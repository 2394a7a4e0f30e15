#include "support/machine.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <sched.h>
#include <unistd.h>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "support/files.h"
#include "support/text.h"

namespace slopegan {

CoreCount count_usable_cores(std::int64_t online, std::int64_t in_affinity_mask, const ControlGroupLimits& limits) {
  const std::int64_t allowed = std::max<std::int64_t>(1, std::min(online, in_affinity_mask));
  if (limits.cores && *limits.cores < static_cast<double>(allowed)) {
    return {std::max<std::int64_t>(1, static_cast<std::int64_t>(*limits.cores)),
            format_text("CPU quota: {:.3g} of {} cores", *limits.cores, online)};
  }
  if (allowed < online) return {allowed, format_text("affinity mask: {} of {} cores", allowed, online)};
  return {allowed, "all cores"};
}

/// The cores of all places to which libgomp binds threads; empty if it binds none. The functions are looked up at run
/// time, as in support/thread_waiting.cpp. The runtimes of Intel and LLVM (__kmpc_fork_call) bind no thread when they
/// are loaded.
static std::vector<int> cores_in_places() {
  if (::dlsym(RTLD_DEFAULT, "__kmpc_fork_call") != nullptr) return {};
  const auto count_places = reinterpret_cast<int (*)()>(::dlsym(RTLD_DEFAULT, "omp_get_num_places"));
  const auto count_cores = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_DEFAULT, "omp_get_place_num_procs"));
  const auto read_cores = reinterpret_cast<void (*)(int, int*)>(::dlsym(RTLD_DEFAULT, "omp_get_place_proc_ids"));
  if (count_places == nullptr || count_cores == nullptr || read_cores == nullptr) return {};
  std::vector<int> all;
  for (int place = 0; place < count_places(); ++place) {
    std::vector<int> cores(static_cast<std::size_t>(std::max(0, count_cores(place))));
    read_cores(place, cores.data());
    all.insert(all.end(), cores.begin(), cores.end());
  }
  return all;
}

void unbind_main_thread() {
  const auto cores = cores_in_places();
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cores.empty() || ::sched_getaffinity(0, sizeof set, &set) != 0) return;
  for (const int core : cores) {
    if (core >= 0 && core < CPU_SETSIZE) CPU_SET(core, &set);
  }
  ::sched_setaffinity(0, sizeof set, &set);
}

CoreCount usable_core_count() {
  const std::int64_t online = std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
  cpu_set_t set;
  CPU_ZERO(&set);
  // The call fails if there are more cores than cpu_set_t can represent.
  const bool has_mask = ::sched_getaffinity(0, sizeof set, &set) == 0;
  return count_usable_cores(online, has_mask ? CPU_COUNT(&set) : online, read_control_group_limits());
}

std::optional<std::int64_t> parse_thread_count(std::string_view text) {
  const auto start = text.find_first_not_of(' ');
  if (start == std::string_view::npos) return std::nullopt;
  text.remove_prefix(start);
  std::int64_t threads = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  const bool ends = end == text.data() + text.size() || *end == ',' || *end == ' ';
  if (error != std::errc() || !ends || threads < 1 || threads > 1024) return std::nullopt;
  return threads;
}

std::optional<std::int64_t> threads_of_environment() {
  const char* text = std::getenv("OMP_NUM_THREADS");
  return text != nullptr ? parse_thread_count(text) : std::nullopt;
}

/// The value of the first line "key : value"; empty if there is none.
static std::string first_value(const std::string& cpuinfo, const std::string& key) {
  const std::size_t line = cpuinfo.starts_with(key) ? 0 : cpuinfo.find("\n" + key);
  if (line == std::string::npos) return "";
  const std::size_t end = std::min(cpuinfo.find('\n', line + 1), cpuinfo.size());
  const std::size_t begin = cpuinfo.find(": ", line);
  return begin < end ? cpuinfo.substr(begin + 2, end - begin - 2) : "";
}

std::string cpu_model_in(const std::string& cpuinfo) {
  if (auto name = first_value(cpuinfo, "model name"); !name.empty()) return name;
  const std::string implementer = first_value(cpuinfo, "CPU implementer"), part = first_value(cpuinfo, "CPU part");
  return part.empty() ? unknown_cpu : format_text("Arm, implementer {}, part {}", implementer, part);
}

std::string cpu_model() { return cpu_model_in(read_file("/proc/cpuinfo", std::size_t{1} << 26)); }

std::uint64_t physical_memory_bytes() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t usable_memory_bytes() {
  const auto limit = read_control_group_limits().memory_bytes;
  return limit ? std::min(*limit, physical_memory_bytes()) : physical_memory_bytes();
}

double resident_memory_bytes() {
  std::ifstream file("/proc/self/statm");
  double size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void configure_allocator() {
#ifdef __GLIBC__
  constexpr int mebibyte = 1 << 20;
  // 32 MiB is the maximum that glibc accepts. Larger blocks are still mapped individually.
  mallopt(M_MMAP_THRESHOLD, 32 * mebibyte);
  mallopt(M_TRIM_THRESHOLD, 512 * mebibyte);
  mallopt(M_TOP_PAD, 16 * mebibyte);
#endif
}

}  // namespace slopegan
