#include "run/run_info.h"

#include <array>
#include <ctime>
#include <utility>

#include "support/enum_values.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/machine.h"

namespace slopegan {

namespace {

constexpr std::size_t run_info_limit = std::size_t{1} << 21;

/// Returns read(object) for the JSON object in `file`, or std::nullopt if the file does not exist.
template <class Read>
auto read_object(const std::filesystem::path& file, Read&& read)
    -> std::optional<decltype(read(std::declval<const nlohmann::json&>()))> {
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !error) return std::nullopt;
  const auto object = parse_json_object(read_file(file, run_info_limit));
  if (!object) throw DataError(display(file) + ": not a JSON object");
  try {
    return read(*object);
  } catch (const nlohmann::json::exception&) {
  } catch (const WrongJsonType&) {
  }
  throw DataError(display(file) + ": the file is damaged or was not written by slopegan");
}

}  // namespace

nlohmann::ordered_json field_json(RunStatus status) { return name_of(status); }

void read_field(const nlohmann::json& value, RunStatus& status) {
  const auto named = enum_named<RunStatus>(value.get<std::string>());
  if (!named) throw WrongJsonType("expected a run status");
  status = *named;
}

HostInfo this_host() { return {cpu_model(), usable_cores(), static_cast<std::int64_t>(usable_memory_bytes() >> 20)}; }

std::optional<std::string> processor_of(const RunInfo& info) {
  if (info.device != "cpu") return info.gpu;
  return info.host.cpu.empty() || info.host.cpu == unknown_cpu ? std::nullopt : std::optional(info.host.cpu);
}

std::string utc_timestamp(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

std::optional<std::chrono::system_clock::time_point> parse_utc_timestamp(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

void write_run_info(const std::filesystem::path& file, const RunInfo& info) {
  write_file_atomic(file, json_text(record_json(info), 2) + '\n');
}

std::optional<RunInfo> read_run_info(const std::filesystem::path& file) {
  return read_object(file, [](const nlohmann::json& object) { return read_record<RunInfo>(object); });
}

std::optional<RunStatus> read_run_status(const std::filesystem::path& file) {
  return read_object(file, [](const nlohmann::json& object) {
    RunStatus status{};
    read_field(object.at("status"), status);
    return status;
  });
}

RunRecord::RunRecord(const RunDirectory& directory, RunInfo info) : directory_(directory), info_(std::move(info)) {
  if (info_.started.empty()) info_.started = utc_timestamp(std::chrono::system_clock::now());
  end(RunStatus::running, info_.images);
}

void RunRecord::end(RunStatus status, std::int64_t images) {
  info_.status = status;
  info_.images = images;
  info_.updated = utc_timestamp(std::chrono::system_clock::now());
  directory_.check_in_place();
  write_run_info(directory_.run_info_file(), info_);
}

void RunRecord::end_badly(RunStatus status, std::int64_t images) {
  try {
    end(status, images);
  } catch (const IoError& error) {
    log::warning(error.what());
  }
}

}  // namespace slopegan
