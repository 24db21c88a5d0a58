// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>
#include <pthread.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "closable.h"

// One wakeup of the canary, as TypeScript is given it. Times are nanoseconds of CLOCK_MONOTONIC.
struct CanaryWake {
  uint64_t deadline, woke;
  uint64_t cpu;        // CPU time of the whole sleep: into it and, from being put on the CPU, out of it
  uint64_t sleeps;     // voluntary switches: 0 when it was not put to sleep
  uint64_t preempted;  // involuntary ones
};

// A thread that sleeps to known deadlines and writes down when it woke: the clock that the tracer is held against. The
// object owns it, and ends it with itself; if nobody closes it, the garbage collector or the environment's clean-up does.
class Canary : public Closable<Canary> {
 public:
  static Napi::Function Define(Napi::Env env);
  using Closable::Closable;
  ~Canary() override { Close(); }
  void Close();

 private:
  Napi::Value Start(const Napi::CallbackInfo& info);  // (mean interval, ns) -> thread id or -errno
  Napi::Value Take(const Napi::CallbackInfo& info);   // -> BigUint64Array of wakes, since the last take
  Napi::Value Until(const Napi::CallbackInfo& info);  // -> deadline to which it sleeps now, as BigInt; 0 when it is awake

  static void* Run(void* self);
  void SleepForever();

  pthread_t thread_ = {};
  bool running_ = false;
  bool closed_ = false;
  uint64_t interval_ns_ = 0;
  std::atomic<int> tid_{0};
  std::atomic<uint64_t> until_{0};
  std::mutex mutex_;
  std::vector<CanaryWake> wakes_;
};
