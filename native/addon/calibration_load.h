// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>
#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "closable.h"

// A known load: two threads on one CPU pass a byte back and forth over pipes. Each turn is a wakeup and a switch,
// because a pipe's reader does not preempt its writer. The CPU time of a turn, with and without the programs attached,
// calibrates the tracer's cost.
class CalibrationLoad : public Closable<CalibrationLoad> {
 public:
  static Napi::Function Define(Napi::Env env);
  using Closable::Closable;
  ~CalibrationLoad() override { Close(); }
  void Close();

 private:
  struct Side {
    CalibrationLoad* load;
    int index;
    pthread_t thread;
    std::atomic<int> tid;
    uint64_t cpu_ns;
  };

  Napi::Value Start(const Napi::CallbackInfo& info);  // -> [thread id, thread id] or -errno
  Napi::Value Run(const Napi::CallbackInfo& info);    // (turns of each) -> CPU time of both, ns

  static void* Serve(void* side);
  void TakeTurns(Side& side);

  Side sides_[2] = {{this, 0, {}, {0}, 0}, {this, 1, {}, {0}, 0}};
  int started_ = 0;
  int pipes_[2][2] = {{-1, -1}, {-1, -1}};  // one to each thread
  std::atomic<uint32_t> round_{0};  // the present round; the threads wait for the next
  std::atomic<uint32_t> done_{0};   // threads that have finished the round
  uint32_t turns_ = 0;              // 0: the threads end
};
