// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bpf/libbpf.h>
#include <napi.h>
#include <uv.h>

#include <string>
#include <utility>
#include <vector>

#include "taut.h"

// One loaded set of BPF programs: opened, loaded, attached, read and closed from TypeScript. Everything hangs off this
// object; its owner closes it, and if nobody does, the garbage collector or the environment's clean-up does.
class Tracer : public Napi::ObjectWrap<Tracer> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit Tracer(const Napi::CallbackInfo& info);
  ~Tracer() override;

 private:
  struct Poll;
  struct LifeEvent {
    taut_event event;
    std::string cmdline;  // of an exec, if it was told
  };

  // Each returns 0 (or what it says) or -errno.
  Napi::Value Open(const Napi::CallbackInfo& info);            // (path)
  Napi::Value Load(const Napi::CallbackInfo& info);
  Napi::Value Attach(const Napi::CallbackInfo& info);          // (program[, cgroup directory])
  Napi::Value Detach(const Napi::CallbackInfo& info);          // (program)
  Napi::Value VisitThreads(const Napi::CallbackInfo& info);    // (visit, pid, slot[, thread]) -> threads changed
  Napi::Value OmitFeatures(const Napi::CallbackInfo& info);    // ([program]) before load: without it, and `.rodata.features` all 0
  Napi::Value SetSettings(const Napi::CallbackInfo& info);     // (sample mask, whether detail is shed, canary's slot)
  Napi::Value EmptySeries(const Napi::CallbackInfo& info);     // (slot from 1): makes room for it if there is none
  Napi::Value AddAgent(const Napi::CallbackInfo& info);        // (pid, slot from 1[, shared]): empties its series, unless shared
  Napi::Value ReserveCall(const Napi::CallbackInfo& info);     // (slot): room for the series up to it
  Napi::Value RemoveAgent(const Napi::CallbackInfo& info);     // (pid): its series stay readable
  Napi::Value ReadSeries(const Napi::CallbackInfo& info);      // (slot, into: Uint32Array)
  Napi::Value ReadCounters(const Napi::CallbackInfo& info);    // -> [number], in layout's order
  Napi::Value Listen(const Napi::CallbackInfo& info);          // (callback([event])[, map: then of Buffers])
  Napi::Value WriteMap(const Napi::CallbackInfo& info);        // (map, index, value): of an array of 32-bit numbers
  Napi::Value ReadMap(const Napi::CallbackInfo& info);         // (map, index) -> number: of an array of 64-bit ones
  Napi::Value SetStats(const Napi::CallbackInfo& info);        // (on): the kernel's bpf_stats
  Napi::Value RunTime(const Napi::CallbackInfo& info);         // -> [{name, ns, runs, missed}]
  Napi::Value TestRun(const Napi::CallbackInfo& info);         // (program, [64-bit word, where to answer]...)
  Napi::Value Log(const Napi::CallbackInfo& info);             // what libbpf said so far
  Napi::Value CloseCall(const Napi::CallbackInfo& info);

  int MapFd(const char* name) const;
  int ArrayFd(const char* name, uint32_t value_size) const;
  int AddBlock();
  int Reserve(uint32_t slot);
  void Empty(uint32_t slot);
  int MapCounters(bpf_map* counters);
  void UnmapCounters();
  taut_agent_series* Series(uint32_t slot) const;
  void ReleaseSeries();
  void Drain();
  void Tell(Napi::Array what);
  void Close();

  static void OnCleanup(void* self);
  static void OnReadable(uv_poll_t* poll, int status, int events);
  static void OnEnvironmentEnds(napi_async_cleanup_hook_handle hook, void* poll);
  static void StopPolling(Poll* poll);
  static int OnEvent(void* self, void* data, size_t size);

  bpf_object* object_ = nullptr;
  ring_buffer* ring_ = nullptr;
  Poll* poll_ = nullptr;
  std::vector<std::pair<std::string, bpf_link*>> links_;  // by program
  uint32_t most_used_ = 0;                  // the highest slot that was ever emptied
  std::vector<taut_agent_series*> blocks_;  // mapped: TAUT_BLOCK_AGENTS slots each, the first is slot 1
  taut_counters* counters_ = nullptr;  // mapped: one for each processor
  size_t processors_ = 0;
  std::vector<LifeEvent> pending_;
  std::vector<std::string> raw_;  // what other ring buffers than the life events' hold
  bool is_raw_ = false;
  Napi::FunctionReference callback_;
  int stats_ = -1;
  bool closed_ = false;
  std::string log_;
};
