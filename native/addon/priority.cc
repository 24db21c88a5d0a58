// SPDX-License-Identifier: Apache-2.0
// The policy and the nice value of a thread. The calls take a thread id, so each has the open directory /proc/TID, too:
// see sched.cc. setpriority(2) and sched_setscheduler(2) leave the slice of the thread as it is: sched_setattr(2) can't.
#include "priority.h"

#include "arguments.h"
#include "sched_attr.h"

#include <sched.h>
#include <sys/resource.h>

#include <cerrno>

namespace {

constexpr int kPolicyShift = 8;
constexpr int kLowestNice = -20;  // stands as 0, as a negative number is -errno

bool IsFair(uint32_t policy) { return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE; }

int SetNice(pid_t tid, int nice) { return setpriority(PRIO_PROCESS, static_cast<id_t>(tid), nice) ? -errno : 0; }

int SetPriority(pid_t tid, const SchedAttr& attr, uint32_t policy, int nice) {
  if (attr.policy != policy)
    if (int failed = SetPolicy(tid, attr, policy)) return failed;
  return attr.nice == nice ? 0 : SetNice(tid, nice);
}

// priorityAt(directory, tid) -> policy << 8 | nice + 20.
Napi::Value PriorityAt(const Napi::CallbackInfo& info) {
  Arguments args(info);
  int directory = args.Descriptor(0);
  auto tid = static_cast<pid_t>(args.Number(1, INT32_MAX));
  if (args.Wrong()) return {};
  SchedAttr attr;
  if (int failed = GetSchedAttrAt(directory, tid, attr)) return Napi::Number::New(info.Env(), failed);
  return Napi::Number::New(info.Env(), static_cast<int>(attr.policy) << kPolicyShift | (attr.nice - kLowestNice));
}

// setPriorityAt(directory, tid, priority) -> 0; `priority` as priorityAt returns it, of SCHED_OTHER, BATCH or IDLE. -EINVAL
// for a thread that is real-time. -ESTALE if the thread ended meanwhile and another has its id, with this priority: that one may
// have been written.
Napi::Value SetPriorityAt(const Napi::CallbackInfo& info) {
  Arguments args(info);
  int directory = args.Descriptor(0);
  auto tid = static_cast<pid_t>(args.Number(1, INT32_MAX));
  auto priority = static_cast<uint32_t>(args.Number(2, INT32_MAX));
  if (args.Wrong()) return {};
  uint32_t policy = priority >> kPolicyShift;
  int nice = static_cast<int>(priority & 0xff) + kLowestNice;
  auto result = [&]() -> int {
    SchedAttr before, after;
    if (int failed = GetSchedAttrAt(directory, tid, before)) return failed;
    if (!IsFair(before.policy) || !IsFair(policy)) return -EINVAL;
    int failed = SetPriority(tid, before, policy, nice);
    if (IsThere(directory)) return failed;
    return failed || GetSchedAttr(tid, after) || after.policy != policy || after.nice != nice ? -ESRCH : -ESTALE;
  }();
  return Napi::Number::New(info.Env(), result);
}

// canRaisePriority() -> 0 if this process may raise a priority that it has lowered, else -errno. Tried on a thread of its
// own: a lowered one might stay.
Napi::Value CanRaisePriority(const Napi::CallbackInfo& info) {
  int result = 0;
  int failed = OnOwnThread([&result] {
    SchedAttr own;
    result = GetSchedAttr(0, own);
    if (!result) result = SetPolicy(0, own, SCHED_IDLE);
    if (!result) result = SetNice(0, 19);
    if (!result) result = SetPolicy(0, own, SCHED_OTHER);
    if (!result) result = SetNice(0, 0);
  });
  return Napi::Number::New(info.Env(), failed ? failed : result);
}

}  // namespace

void ExportPriority(Napi::Env env, Napi::Object exports) {
  exports.Set("priorityAt", Napi::Function::New(env, PriorityAt));
  exports.Set("setPriorityAt", Napi::Function::New(env, SetPriorityAt));
  exports.Set("canRaisePriority", Napi::Function::New(env, CanRaisePriority));
}
