// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>
#include <pthread.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "closable.h"

// One wakeup of the canary, as TypeScript receives it. Times are nanoseconds of CLOCK_MONOTONIC.
struct CanaryWake {
  uint64_t deadline, woke;
  uint64_t cpu;        // CPU time (ns) of the sleeping call: entering the sleep, and leaving it after the switch
  uint64_t sleeps;     // voluntary switches; 0: it did not sleep
  uint64_t preempted;  // involuntary switches
};

// A thread that sleeps to known deadlines and records when it woke; the tracer is compared with it. The object owns the
// thread and ends it in close(), or at the latest when the garbage collector or the environment's clean-up deletes it.
class Canary : public Closable<Canary> {
 public:
  static Napi::Function Define(Napi::Env env);
  using Closable::Closable;
  ~Canary() override { Close(); }
  void Close();

 private:
  Napi::Value Start(const Napi::CallbackInfo& info);  // (mean interval, ns) -> thread id or -errno
  Napi::Value Take(const Napi::CallbackInfo& info);   // -> BigUint64Array of the wakes since the last take
  Napi::Value Until(const Napi::CallbackInfo& info);  // -> the deadline of the present sleep, BigInt; 0 while awake

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
