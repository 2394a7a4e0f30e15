#include "run/run_info.h"

#include <array>
#include <ctime>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "run/json_text.h"
#include "support/cores.h"
#include "support/errors.h"
#include "support/files.h"

namespace slopegan {

using nlohmann::ordered_json;

namespace {

constexpr std::array<std::pair<RunStatus, const char*>, 5> status_names = {{
    {RunStatus::running, "running"},
    {RunStatus::done, "done"},
    {RunStatus::diverged, "diverged"},
    {RunStatus::stopped, "stopped"},
    {RunStatus::failed, "failed"},
}};

const char* name_of(RunStatus status) {
  for (const auto& [value, name] : status_names) {
    if (value == status) return name;
  }
  return "failed";
}

std::string cpu_model() {
  const std::string text = read_file("/proc/cpuinfo", std::size_t{1} << 26);
  const std::size_t key = text.find("model name");
  const std::size_t begin = key == std::string::npos ? key : text.find(": ", key);
  if (begin == std::string::npos) return "unknown";
  return text.substr(begin + 2, text.find('\n', begin) - begin - 2);
}

ordered_json to_json(const RunInfo& info) {
  return {{"status", name_of(info.status)},
          {"images", info.images},
          {"started", info.started},
          {"updated", info.updated},
          {"versions",
           {{"slopegan", info.versions.slopegan},
            {"libtorch", info.versions.libtorch},
            {"opencv", info.versions.opencv},
            {"compiler", info.versions.compiler}}},
          {"git", info.versions.git_commit},
          {"argv", info.argv},
          {"host", {{"cpu", info.host.cpu}, {"cores", info.host.cores}, {"memory_mib", info.host.memory_mib}}},
          {"threads", info.threads},
          {"precision", info.precision},
          {"device", info.device},
          {"dataset", {{"name", info.dataset.name}, {"hash", info.dataset.hash}, {"count", info.dataset.count}}}};
}

}  // namespace

HostInfo this_host() {
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES);
  return {cpu_model(), usable_cores(), pages * ::sysconf(_SC_PAGESIZE) / (1 << 20)};
}

std::string utc_timestamp(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

void write_run_info(const std::filesystem::path& file, const RunInfo& info) {
  write_file_atomic(file, json_text(to_json(info), 2) + '\n');
}

std::optional<RunStatus> read_run_status(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !error) return std::nullopt;
  const auto object = parse_json_object(read_file(file, std::size_t{1} << 21));
  const std::string status = object && object->contains("status") && object->at("status").is_string()
                                 ? object->at("status").get<std::string>()
                                 : std::string();
  for (const auto& [value, name] : status_names) {
    if (status == name) return value;
  }
  throw DataError(display(file) + ": it names no status of a run; it is damaged or of another program");
}

}  // namespace slopegan
