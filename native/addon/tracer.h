// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bpf/libbpf.h>
#include <napi.h>
#include <uv.h>

#include <map>
#include <string>
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
  // Each returns 0 (or what it says) or -errno.
  Napi::Value Open(const Napi::CallbackInfo& info);            // (path)
  Napi::Value Load(const Napi::CallbackInfo& info);
  Napi::Value Attach(const Napi::CallbackInfo& info);          // (program)
  Napi::Value VisitThreads(const Napi::CallbackInfo& info);    // (visit, pid, slot) -> threads visited
  Napi::Value AddAgent(const Napi::CallbackInfo& info);        // (pid, slot): allocates its series
  Napi::Value RemoveAgent(const Napi::CallbackInfo& info);     // (pid, slot)
  Napi::Value ReadSeries(const Napi::CallbackInfo& info);      // (slot) -> BigUint64Array
  Napi::Value ReadCounters(const Napi::CallbackInfo& info);    // -> [number], in layout's order
  Napi::Value Listen(const Napi::CallbackInfo& info);          // (callback([event]))
  Napi::Value SetStats(const Napi::CallbackInfo& info);        // (on): the kernel's bpf_stats
  Napi::Value RunTime(const Napi::CallbackInfo& info);         // -> [{name, ns, runs}]
  Napi::Value Log(const Napi::CallbackInfo& info);             // what libbpf said so far
  Napi::Value CloseCall(const Napi::CallbackInfo& info);

  int MapFd(const char* name) const;
  void Drain();
  void Close();

  static void OnCleanup(void* self);
  static void OnReadable(uv_poll_t* poll, int status, int events);
  static int OnEvent(void* self, void* data, size_t size);

  bpf_object* object_ = nullptr;
  ring_buffer* ring_ = nullptr;
  uv_poll_t* poll_ = nullptr;  // its own allocation: libuv needs it until the close callback
  std::vector<bpf_link*> links_;
  std::map<uint32_t, int> series_;  // slot -> descriptor of its series map
  std::vector<taut_event> pending_;
  Napi::FunctionReference callback_;
  int stats_ = -1;
  bool closed_ = false;
  std::string log_;
};
