#include "fuzz/memory_file.h"
#include "run/records.h"
#include "support/errors.h"

namespace slopegan::fuzz {

namespace {

template <class Record>
using Reader = std::vector<Record> (*)(const std::filesystem::path&);

template <class Record>
std::string lines_of(const std::vector<Record>& records, std::string (*line)(const Record&)) {
  std::string text;
  for (const Record& record : records) text += line(record) + '\n';
  return text;
}

/// Writes the records of an accepted file as lines. Reading these lines and writing them again must produce the same
/// lines. Lines are compared instead of records because NaN is not equal to itself.
template <class Record>
void read_as(const MemoryFile& file, Reader<Record> read, std::string (*line)(const Record&)) {
  try {
    const std::string text = lines_of(read(file.path()), line);
    const MemoryFile printed({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    promise(lines_of(read(printed.path()), line) == text, "records survive round trips");
  } catch (const DataError& error) {
    promise_message(error.what());
    promise(std::string(error.what()).starts_with(file.path().string() + ":"), "the error names the file and a line");
  }
}

std::string diagnostics_line(const DiagnosticsRecord& record) { return diagnostics_text(record); }

}  // namespace

void run_history(Bytes bytes) {
  const MemoryFile file(bytes);
  read_as<HistoryRecord>(file, read_history, history_line);
  read_as<MetricsRecord>(file, read_metrics, metrics_line);
  read_as<DiagnosticsRecord>(file, read_diagnostics, diagnostics_line);
}

}  // namespace slopegan::fuzz
