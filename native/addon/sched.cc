// SPDX-License-Identifier: Apache-2.0
// The scheduler's slice of a thread. The system calls take a thread id and not a descriptor, so each call here also has
// the open directory /proc/TID: what is there before and after the call was there during it, as an id is not given out
// again while its thread exists.
#include "sched.h"

#include "arguments.h"
#include "sched_attr.h"

#include <sched.h>

#include <cerrno>

namespace {

constexpr uint32_t kSchedExt = 7;  // SCHED_EXT

// Of other policies `runtime` means something else, or nothing.
bool HasSlice(uint32_t policy) {
  return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE || policy == kSchedExt;
}

// A thread that became real-time meanwhile stays it, and what a thread has of reset-on-fork is kept.
int SetSlice(pid_t tid, SchedAttr attr, uint64_t slice_ns) {
  attr.flags = kKeepPolicy | (attr.flags & kResetOnFork);
  attr.runtime = slice_ns;
  return SetSchedAttr(tid, attr);
}

// sliceAt(directory, tid) -> nanoseconds; 0 for a thread whose policy has no slice.
Napi::Value SliceAt(const Napi::CallbackInfo& info) {
  Arguments args(info);
  int directory = args.Descriptor(0);
  auto tid = static_cast<pid_t>(args.Number(1, INT32_MAX));
  if (args.Wrong()) return {};
  SchedAttr attr;
  if (int failed = GetSchedAttrAt(directory, tid, attr)) return Napi::Number::New(info.Env(), failed);
  return Napi::Number::New(info.Env(), HasSlice(attr.policy) ? static_cast<double>(attr.runtime) : 0);
}

// setSliceAt(directory, tid, ns) -> 0; ns 0 is the kernel's default. -EINVAL for a thread whose policy has no slice. -ESTALE
// if the thread ended meanwhile and another had its id by then: that one has the kernel's default again, and no other value.
Napi::Value SetSliceAt(const Napi::CallbackInfo& info) {
  Arguments args(info);
  int directory = args.Descriptor(0);
  auto tid = static_cast<pid_t>(args.Number(1, INT32_MAX));
  auto slice_ns = static_cast<uint64_t>(args.Number(2, INT32_MAX));
  if (args.Wrong()) return {};
  auto result = [&]() -> int {
    SchedAttr attr;
    if (int failed = GetSchedAttrAt(directory, tid, attr)) return failed;
    if (!HasSlice(attr.policy)) return -EINVAL;
    int failed = SetSlice(tid, attr, slice_ns);
    if (IsThere(directory)) return failed;
    if (failed || slice_ns == 0 || GetSchedAttr(tid, attr) || !HasSlice(attr.policy) || attr.runtime != slice_ns) return -ESRCH;
    SetSlice(tid, attr, 0);
    return -ESTALE;
  }();
  return Napi::Number::New(info.Env(), result);
}

// The kernel takes a slice of threads of these policies only; of the idle one it forgets what it is asked for.
int TakePolicyWithSlice() {
  SchedAttr own;
  if (int failed = GetSchedAttr(0, own)) return failed;
  return HasSlice(own.policy) && own.policy != SCHED_IDLE ? 0 : SetPolicy(0, own, SCHED_OTHER);
}

// Of the calling thread, whose slice it changes: see defaultSlice.
int64_t TryDefaultSlice(uint64_t other_ns) {
  if (int failed = TakePolicyWithSlice()) return failed;
  SchedAttr own, now;
  int failed = GetSchedAttr(0, own);
  if (!failed) failed = SetSlice(0, own, 0);
  if (!failed) failed = GetSchedAttr(0, now);
  uint64_t standard = failed ? 0 : now.runtime;
  if (!failed) failed = SetSlice(0, own, other_ns);
  if (!failed) failed = GetSchedAttr(0, now);
  if (failed) return failed;
  return standard != 0 && now.runtime == other_ns ? static_cast<int64_t>(standard) : 0;
}

// defaultSlice(otherNs) -> the slice in nanoseconds that the kernel gives to a thread that asks for none; 0 where a thread
// can't ask for one (before Linux 6.12). Tried on a thread of its own: not known from what this one has now, because taut may
// have been started by somebody who has asked for a slice, or with a policy that has none. -EPERM if taut may not leave that
// policy (SCHED_IDLE, without CAP_SYS_NICE).
Napi::Value DefaultSlice(const Napi::CallbackInfo& info) {
  Arguments args(info);
  auto other_ns = static_cast<uint64_t>(args.Number(0, INT32_MAX));
  if (args.Wrong()) return {};
  int64_t result = 0;
  int failed = OnOwnThread([&] { result = TryDefaultSlice(other_ns); });
  return Napi::Number::New(info.Env(), static_cast<double>(failed ? failed : result));
}

}  // namespace

void ExportSched(Napi::Env env, Napi::Object exports) {
  exports.Set("sliceAt", Napi::Function::New(env, SliceAt));
  exports.Set("setSliceAt", Napi::Function::New(env, SetSliceAt));
  exports.Set("defaultSlice", Napi::Function::New(env, DefaultSlice));
}
