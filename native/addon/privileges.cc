// SPDX-License-Identifier: Apache-2.0
#include "privileges.h"

#include "arguments.h"

#include <cerrno>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

// confine(keep) -> 0. Drops all capabilities of the calling thread except those in the mask; execve(2) can't regain
// them. Capabilities belong to a thread: the caller must execve(2) next, which ends all other threads of the process.
Napi::Value Confine(const Napi::CallbackInfo& info) {
  Arguments args(info);
  uint64_t keep = args.Mask(0);
  if (args.Wrong()) return {};
  auto failed = [&] { return Napi::Number::New(info.Env(), -errno); };
  for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
    if (!((keep >> cap) & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) return failed();
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) < 0) return failed();
  for (int half = 0; half < 2; half++) {
    auto mask = static_cast<uint32_t>(keep >> (32 * half));
    data[half].effective &= mask;
    data[half].permitted &= mask;
    data[half].inheritable &= mask;
  }
  if (syscall(SYS_capset, &header, data) < 0) return failed();
  return Napi::Number::New(info.Env(), 0);
}

}  // namespace

void ExportPrivileges(Napi::Env env, Napi::Object exports) {
  exports.Set("confine", Napi::Function::New(env, Confine));
}
