#include "report/run_data.h"

#include <algorithm>

#include "config/load.h"
#include "run/json_text.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

using nlohmann::json;

constexpr std::size_t max_info_size = std::size_t{1} << 21, max_log_size = std::size_t{1} << 26;

/// The string or number at a path of keys; empty if it does not exist.
std::string text_at(const json& object, std::initializer_list<const char*> names) {
  const json* value = &object;
  for (const char* name : names) {
    if (!value->is_object() || !value->contains(name)) return {};
    value = &value->at(name);
  }
  return value->is_string() ? value->get<std::string>() : value->is_number() ? value->dump() : std::string();
}

void add_fact(RunData& run, const char* label, const std::string& value) {
  if (!value.empty()) run.facts.emplace_back(label, value);
}

void take_info(RunData& run, const json& info) {
  run.status = text_at(info, {"status"});
  if (info.contains("images")) run.images = whole_number(info.at("images"));
  if (info.contains("argv")) run.argv = info.at("argv").get<std::vector<std::string>>();
  const std::string commit = text_at(info, {"git"});
  add_fact(run, "slopegan", text_at(info, {"versions", "slopegan"}) + (commit.empty() ? "" : ", commit " + commit));
  add_fact(run, "LibTorch", text_at(info, {"versions", "libtorch"}));
  add_fact(run, "OpenCV", text_at(info, {"versions", "opencv"}));
  add_fact(run, "Compiler", text_at(info, {"versions", "compiler"}));
  const std::string cores = text_at(info, {"host", "cores"}), memory = text_at(info, {"host", "memory_mib"});
  add_fact(run, "Machine", text_at(info, {"host", "cpu"}) + ", " + cores + " cores, " + memory + " MiB");
  add_fact(
      run, "Device",
      text_at(info, {"device"}) + ", " + text_at(info, {"precision"}) + ", threads: " + text_at(info, {"threads"}));
  add_fact(run, "Data", text_at(info, {"dataset", "name"}) + ", " + text_at(info, {"dataset", "count"}) + " images");
  add_fact(run, "SHA-256 of the data", text_at(info, {"dataset", "hash"}));
  add_fact(run, "Started", text_at(info, {"started"}));
  add_fact(run, "Last update", text_at(info, {"updated"}));
}

void read_info(RunData& run, const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return;
  run.status = "unreadable";
  const auto info = parse_json_object(read_file(file, max_info_size));
  if (!info) throw DataError("run.json: not a JSON object");
  try {
    take_info(run, *info);
  } catch (const json::exception&) {
    throw DataError("run.json: unexpected structure");
  } catch (const WrongJsonType&) {
    throw DataError("run.json: unexpected structure");
  }
}

std::string last_error_line(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  const std::string log = read_file(file, max_log_size);
  const auto found = log.rfind(" error ");
  if (found == std::string::npos) return {};
  return log.substr(found + 7, log.find('\n', found) - found - 7);
}

/// Calls `read` and notes its errors.
template <class Read>
void attempt(RunData& run, Read read) {
  try {
    read();
  } catch (const Error& error) {
    run.notes.emplace_back(error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    run.notes.emplace_back(error.what());
  }
}

template <class Record>
void read_log(RunData& run, const std::filesystem::path& file, std::vector<Record>& records,
              std::vector<Record> (*read)(const std::filesystem::path&)) {
  attempt(run, [&] {
    if (std::filesystem::exists(file)) records = read(file);
  });
}

}  // namespace

RunData read_run_data(const std::filesystem::path& directory) {
  const RunPaths paths(directory);
  RunData run;
  run.directory = directory;
  run.name = std::filesystem::absolute(directory / "x").lexically_normal().parent_path().filename().string();
  attempt(run, [&] { read_info(run, paths.run_info_file()); });
  attempt(run, [&] {
    if (!std::filesystem::exists(paths.config_file())) return;
    run.config = load_config(paths.config_file()).config;
    run.name = run.config->run.name;
  });
  read_log(run, paths.history_file(), run.history, read_history);
  read_log(run, paths.metrics_file(), run.metrics, read_metrics);
  read_log(run, paths.diagnostics_file(), run.diagnostics, read_diagnostics);
  attempt(run, [&] { run.last_error = last_error_line(paths.log_file()); });
  // During training, the history is newer than run.json.
  if (!run.history.empty()) run.images = std::max(run.images, run.history.back().images);
  return run;
}

}  // namespace slopegan
