#pragma once

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace slopegan {

/// Makes file permissions apply to root too, for the lifetime of the object. The constructor removes the capabilities
/// that override permissions. It does not switch to another user, who might be unable to enter the temporary directory.
/// The change affects this thread and the threads that it starts during that time, but not the programs that it runs.
class OrdinaryPermissions {
 public:
  OrdinaryPermissions() {
    if (::syscall(SYS_capget, &header_, before_) != 0) return;
    __user_cap_data_struct reduced[] = {before_[0], before_[1]};
    reduced[0].effective &= ~(CAP_TO_MASK(CAP_DAC_OVERRIDE) | CAP_TO_MASK(CAP_DAC_READ_SEARCH));
    apply_ = ::syscall(SYS_capset, &header_, reduced) == 0;
  }
  ~OrdinaryPermissions() {
    if (apply_) ::syscall(SYS_capset, &header_, before_);
  }
  OrdinaryPermissions(const OrdinaryPermissions&) = delete;
  OrdinaryPermissions& operator=(const OrdinaryPermissions&) = delete;

  /// False if the system does not allow a process to remove capabilities, in which case nothing has changed.
  bool apply() const { return apply_; }

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, /*pid, 0: this thread*/ 0};
  __user_cap_data_struct before_[_LINUX_CAPABILITY_U32S_3] = {};
  bool apply_ = false;
};

}  // namespace slopegan
