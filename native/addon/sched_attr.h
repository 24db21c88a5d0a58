// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

// struct sched_attr, version 0; <linux/sched/types.h> can't be included beside <sched.h>.
struct SchedAttr {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};
static_assert(sizeof(SchedAttr) == 48);

constexpr uint64_t kResetOnFork = 0x01;  // SCHED_FLAG_RESET_ON_FORK
constexpr uint64_t kKeepPolicy = 0x08;   // SCHED_FLAG_KEEP_POLICY

// Of a thread; 0 is the calling one. 0, or -errno.
inline int GetSchedAttr(pid_t tid, SchedAttr& attr) {
  attr = {};
  return syscall(SYS_sched_getattr, tid, &attr, sizeof(attr), 0) < 0 ? -errno : 0;
}

inline int SetSchedAttr(pid_t tid, SchedAttr attr) {
  attr.size = sizeof(attr);
  return syscall(SYS_sched_setattr, tid, &attr, 0) < 0 ? -errno : 0;
}

// Whether a thread is still there, by its open directory /proc/TID: its id may be another's by now.
inline bool IsThere(int directory) { return faccessat(directory, "stat", F_OK, 0) == 0; }

// As GetSchedAttr, of the thread whose directory is open. -ESRCH if that has ended: the id may be another's.
inline int GetSchedAttrAt(int directory, pid_t tid, SchedAttr& attr) {
  int failed = GetSchedAttr(tid, attr);
  return IsThere(directory) ? failed : -ESRCH;
}

// Leaves the slice and the nice value as they are. `attr`: what the thread has.
inline int SetPolicy(pid_t tid, const SchedAttr& attr, uint32_t policy) {
  sched_param none = {};
  int flag = (attr.flags & kResetOnFork) ? SCHED_RESET_ON_FORK : 0;
  return sched_setscheduler(tid, static_cast<int>(policy) | flag, &none) ? -errno : 0;
}

// Runs `work` on a thread of its own, which ends with it: what it tries can't stay. -errno if there can't be such a thread (a
// limit of processes, or a policy that is not inherited); std::thread would end taut then.
template <typename Work>
int OnOwnThread(Work work) {
  pthread_t thread;
  auto run = [](void* it) -> void* {
    (*static_cast<Work*>(it))();
    return nullptr;
  };
  if (int failed = pthread_create(&thread, nullptr, run, &work)) return -failed;
  return -pthread_join(thread, nullptr);
}
