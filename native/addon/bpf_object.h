// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bpf/libbpf.h>

#include <string>
#include <utility>
#include <vector>

#include "closable.h"
#include "ring_buffer.h"

// A compiled set of BPF programs and maps, which TypeScript opens, loads, attaches, listens to and closes. This object
// owns everything that the kernel holds for it.
class BpfObject : public Closable<BpfObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  static BpfObject* From(const Napi::Value& value);  // null if it is no BpfObject
  explicit BpfObject(const Napi::CallbackInfo& info);
  ~BpfObject() override { Close(); }
  void Close();

  // For classes that know more about their programs. After close, each returns null or -errno.
  bpf_object* Object() const { return object_; }
  bpf_program* Program(const std::string& name) const;
  int MapFd(const char* name) const;
  int Load();
  std::string* LogSink() { return &log_; }

 private:
  // Each returns 0 (or the value after ->) or -errno.
  Napi::Value Open(const Napi::CallbackInfo& info);            // (path)
  Napi::Value OmitFeatures(const Napi::CallbackInfo& info);    // () before load: `.rodata.features` all 0
  Napi::Value OmitProgram(const Napi::CallbackInfo& info);     // (program) before load: the program is not loaded
  Napi::Value LoadCall(const Napi::CallbackInfo& info);
  Napi::Value Attach(const Napi::CallbackInfo& info);          // (program): to the hook that its section names
  Napi::Value AttachToCgroup(const Napi::CallbackInfo& info);  // (program, directory)
  Napi::Value Detach(const Napi::CallbackInfo& info);          // (program)
  Napi::Value AddRing(const Napi::CallbackInfo& info);         // (ring buffer, most records in a turn) before listen
  Napi::Value Listen(const Napi::CallbackInfo& info);          // (offset of a record's time, callback(Buffer, bytes of records))
  Napi::Value WriteMap(const Napi::CallbackInfo& info);        // (map, index, value): in an array of 32-bit numbers
  Napi::Value ReadMap(const Napi::CallbackInfo& info);         // (map, index) -> number: in an array of 64-bit numbers
  Napi::Value SetStats(const Napi::CallbackInfo& info);        // (on): the kernel's bpf_stats
  Napi::Value RunTime(const Napi::CallbackInfo& info);         // -> [{name, ns, runs, missed}]
  Napi::Value TestRun(const Napi::CallbackInfo& info);         // (program, [64-bit input, 64-bit output]...)
  Napi::Value Log(const Napi::CallbackInfo& info);             // -> libbpf's messages so far

  int ArrayFd(const std::string& name, uint32_t value_size) const;
  int Attached(const std::string& name, bpf_link* link);

  bpf_object* object_ = nullptr;
  std::vector<std::pair<std::string, bpf_link*>> links_;  // by program
  RingBuffer ring_;
  int stats_ = -1;
  bool closed_ = false;
  std::string log_;
};
