#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

/// Fault injection: this library interposes functions of the C library. It counts the calls that modify or sync files
/// below a directory, and can record them, make some of them fail, or kill the process before one of them. A test
/// program links the library and calls arm_faults in a child process. The real program loads the library through
/// LD_PRELOAD, with the plan in SLOPEGAN_FAULTS.
namespace slopegan::testing {

struct FaultPlan {
  const char* below = "";   ///< count only calls on paths below this directory; none if empty
  const char* from = "";    ///< start counting at the first call whose path contains this text
  long fail = 0;            ///< number of the call that fails, counted from 1; 0: none
  int error = 0;            ///< errno of the failure
  bool stays = false;       ///< all later calls fail too, except for removals, as on a full disk
  long kill = 0;            ///< number of the call before which the process is killed; 0: none
  const char* record = "";  ///< file outside `below` to which all successful calls are appended; see read_recording
};

/// Copies and activates the plan, and restarts the count.
void arm_faults(const FaultPlan& plan);

/// The environment variable that contains the plan for the real program:
/// "below=/tmp/x;from=checkpoints/.tmp;fail=3;error=28;stays=1;kill=0;record=/y".
constexpr auto faults_variable = "SLOPEGAN_FAULTS";

/// A recorded call.
struct RecordedCall {
  std::string kind;         ///< create, truncate, write, resize, sync, mkdir, link, unlink, rename, exchange
  std::string path, other;  ///< other: the new path, or the target of a symlink
  std::string data;         ///< the bytes written
  std::size_t offset = 0;   ///< offset of the data in the file, or the new file size
};

/// Reads a file that FaultPlan::record produced.
inline std::vector<RecordedCall> read_recording(const std::filesystem::path& file) {
  std::ifstream input(file, std::ios::binary);
  std::vector<RecordedCall> calls;
  RecordedCall call;
  while (std::getline(input, call.kind, '\t')) {
    std::string size, offset;
    std::getline(input, size, '\t');
    std::getline(input, offset, '\t');
    std::getline(input, call.path, '\t');
    std::getline(input, call.other, '\n');
    call.data.resize(std::stoul(size));
    input.read(call.data.data(), static_cast<std::streamsize>(call.data.size()));
    call.offset = std::stoul(offset);
    calls.push_back(call);
  }
  return calls;
}

}  // namespace slopegan::testing
