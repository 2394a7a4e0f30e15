#pragma once

/// Faults on demand: this library stands between a program and the C library, counts the calls that change files below
/// one directory, and can record them, let one fail, or kill the process before one. A test program links it and calls
/// arm_faults in a child of its own; the real program gets it by LD_PRELOAD with the plan in SLOPEGAN_FAULTS.
namespace slopegan::testing {

struct FaultPlan {
  const char* below = "";   ///< only what stands below this directory counts; nothing counts where it is empty
  const char* from = "";    ///< counting begins with the first call on a path that contains this text
  long fail = 0;            ///< the number of the call that fails, from 1; 0: none
  int error = 0;            ///< errno of the failure
  bool stays = false;       ///< all later calls fail as well but those that remove, as on a disk that stays full
  long kill = 0;            ///< the number of the call before which the process is killed; 0: none
  const char* record = "";  ///< a file outside `below` to which every call that was made is appended; see Recording
};

/// Counting starts anew. The texts are copied.
void arm_faults(const FaultPlan& plan);

/// How many calls were counted.
long faults_counted();

/// SLOPEGAN_FAULTS for the real program: "below=/tmp/x;from=checkpoints/.tmp;fail=3;error=28;stays=1;kill=0;record=/y".
constexpr auto faults_variable = "SLOPEGAN_FAULTS";

}  // namespace slopegan::testing
