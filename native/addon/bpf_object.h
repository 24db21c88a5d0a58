// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bpf/libbpf.h>

#include <string>
#include <utility>
#include <vector>

#include "closable.h"
#include "ring_buffer.h"

// A compiled set of BPF programs and maps: opened, loaded, attached, listened to and closed from TypeScript. Everything
// that the kernel holds for it hangs off this object.
class BpfObject : public Closable<BpfObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  static BpfObject* From(const Napi::Value& value);  // null for what is none
  explicit BpfObject(const Napi::CallbackInfo& info);
  ~BpfObject() override { Close(); }
  void Close();

  // For classes that know more of their programs than this one. Each is null or -errno once it is closed.
  bpf_object* Object() const { return object_; }
  bpf_program* Program(const std::string& name) const;
  int MapFd(const char* name) const;
  int Load();
  std::string* LogSink() { return &log_; }

 private:
  // Each returns 0 (or what it says) or -errno.
  Napi::Value Open(const Napi::CallbackInfo& info);            // (path)
  Napi::Value OmitFeatures(const Napi::CallbackInfo& info);    // () before load: `.rodata.features` all 0
  Napi::Value OmitProgram(const Napi::CallbackInfo& info);     // (program) before load: it is not loaded
  Napi::Value LoadCall(const Napi::CallbackInfo& info);
  Napi::Value Attach(const Napi::CallbackInfo& info);          // (program): to what its section says
  Napi::Value AttachToCgroup(const Napi::CallbackInfo& info);  // (program, directory)
  Napi::Value Detach(const Napi::CallbackInfo& info);          // (program)
  Napi::Value Listen(const Napi::CallbackInfo& info);          // (ring buffer, callback(Buffer, bytes of records))
  Napi::Value WriteMap(const Napi::CallbackInfo& info);        // (map, index, value): of an array of 32-bit numbers
  Napi::Value ReadMap(const Napi::CallbackInfo& info);         // (map, index) -> number: of an array of 64-bit ones
  Napi::Value SetStats(const Napi::CallbackInfo& info);        // (on): the kernel's bpf_stats
  Napi::Value RunTime(const Napi::CallbackInfo& info);         // -> [{name, ns, runs, missed}]
  Napi::Value TestRun(const Napi::CallbackInfo& info);         // (program, [64-bit word, where to answer]...)
  Napi::Value Log(const Napi::CallbackInfo& info);             // what libbpf said so far

  int ArrayFd(const std::string& name, uint32_t value_size) const;
  int Attached(const std::string& name, bpf_link* link);

  bpf_object* object_ = nullptr;
  std::vector<std::pair<std::string, bpf_link*>> links_;  // by program
  RingBuffer ring_;
  int stats_ = -1;
  bool closed_ = false;
  std::string log_;
};
