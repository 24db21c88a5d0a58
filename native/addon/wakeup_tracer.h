// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "bpf_object.h"
#include "closable.h"
#include "taut.h"

// The wakeup tracer, on top of the BpfObject with its programs: series, counters, the iterator over threads, and
// settings. Maps the programs' counts into this process. After it or the BpfObject was closed, its calls fail: EBADF.
class WakeupTracer : public Closable<WakeupTracer> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit WakeupTracer(const Napi::CallbackInfo& info);  // (BpfObject)
  ~WakeupTracer() override { Close(); }
  void Close();

 private:
  struct Block {
    taut_histogram* series = nullptr;  // mapped, if it is there
    uint32_t used = 0;                    // the slots up to this one were emptied before
  };

  // Each returns 0 (or the value after ->) or -errno.
  Napi::Value Load(const Napi::CallbackInfo& info);          // (are slices counted): loads the object, and maps its counts
  Napi::Value VisitThreads(const Napi::CallbackInfo& info);  // (visit, pid, slot, thread or 0 for all) -> threads changed
  Napi::Value ReadSlices(const Napi::CallbackInfo& info);    // (pid) -> Uint32Array: a thread, 1 if its slice is its own, …
  Napi::Value SetSettings(const Napi::CallbackInfo& info);   // (sample mask, 1 if detail is shed, canary's slot)
  Napi::Value ReserveCall(const Napi::CallbackInfo& info);   // (slot): makes room for series up to this slot
  Napi::Value FreeBlock(const Napi::CallbackInfo& info);     // (block) -> 1, or 0 if it was not there
  Napi::Value EmptySeries(const Napi::CallbackInfo& info);   // (slot from 1): clears its series; makes room if needed
  Napi::Value AddAgent(const Napi::CallbackInfo& info);      // (pid, slot from 1): makes room if needed
  Napi::Value RemoveAgent(const Napi::CallbackInfo& info);   // (pid): its series stay readable
  Napi::Value ReadSeries(const Napi::CallbackInfo& info);    // (slot, into: Uint32Array)
  Napi::Value ReadCounters(const Napi::CallbackInfo& info);  // -> [number], in layout's order

  int MapFd(const char* name) const;
  int Visit(taut_control control, std::vector<char>& told);
  int MapCounters();
  int SetSlices(bool are_there);
  int AddBlock(uint32_t block);
  int Reserve(uint32_t slot);
  taut_histogram* Series(uint32_t slot) const;
  size_t SeriesBytes() const;
  size_t BlockBytes() const;
  void UnmapSeries();
  void UnmapCounters();

  BpfObject* programs_ = nullptr;  // kept alive by the reference
  Napi::ObjectReference reference_;
  bool closed_ = false;
  size_t histograms_ = TAUT_SERIES;         // of each slot
  std::array<Block, TAUT_BLOCKS> blocks_;  // TAUT_BLOCK_AGENTS slots each, the first is slot 1
  taut_counters* counters_ = nullptr;       // mapped: one for each processor
  size_t processors_ = 0;
};
