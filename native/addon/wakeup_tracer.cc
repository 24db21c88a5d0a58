// SPDX-License-Identifier: Apache-2.0
#include "wakeup_tracer.h"

#include <bpf/bpf.h>

#include <cerrno>

#include "arguments.h"

Napi::Function WakeupTracer::Define(Napi::Env env) {
  return DefineClass(
      env, "WakeupTracer",
      {InstanceMethod("load", &WakeupTracer::Load), InstanceMethod("visitThreads", &WakeupTracer::VisitThreads),
       InstanceMethod("readSlices", &WakeupTracer::ReadSlices),
       InstanceMethod("setSettings", &WakeupTracer::SetSettings), InstanceMethod("reserve", &WakeupTracer::ReserveCall),
       InstanceMethod("freeBlock", &WakeupTracer::FreeBlock), InstanceMethod("emptySeries", &WakeupTracer::EmptySeries), InstanceMethod("addAgent", &WakeupTracer::AddAgent),
       InstanceMethod("removeAgent", &WakeupTracer::RemoveAgent),
       InstanceMethod("readSeries", &WakeupTracer::ReadSeries),
       InstanceMethod("readCounters", &WakeupTracer::ReadCounters), InstanceMethod("close", &WakeupTracer::CloseCall)});
}

WakeupTracer::WakeupTracer(const Napi::CallbackInfo& info) : Closable(info) {
  programs_ = BpfObject::From(info[0]);
  if (programs_)
    reference_ = Napi::Persistent(info[0].As<Napi::Object>());
  else
    Napi::TypeError::New(info.Env(), "argument 1 is not a BpfObject").ThrowAsJavaScriptException();
}

int WakeupTracer::MapFd(const char* name) const { return closed_ ? -EBADF : programs_->MapFd(name); }

Napi::Value WakeupTracer::Load(const Napi::CallbackInfo& info) {
  Arguments args(info);
  bool slices = args.Flag(0);
  if (args.Wrong()) return {};
  if (closed_ || !programs_->Object()) return Result(info, -EBADF);
  bpf_map* counters = bpf_object__find_map_by_name(programs_->Object(), "counters");
  if (!counters) return Result(info, -ENOENT);
  bpf_map__set_max_entries(counters, static_cast<uint32_t>(libbpf_num_possible_cpus()));
  int failed = SetSlices(slices);
  if (!failed) failed = programs_->Load();
  if (!failed) failed = MapCounters();
  if (!failed) failed = Reserve(1);  // so that the first agent need not wait for it
  return Result(info, failed);
}

// Sets what the programs leave out while they run.
Napi::Value WakeupTracer::SetSettings(const Napi::CallbackInfo& info) {
  Arguments args(info);
  taut_settings settings = {.sample_mask = args.Number(0), .shed_detail = args.Number(1), .canary_slot = args.Number(2)};
  if (args.Wrong()) return {};
  uint32_t zero = 0;
  int map = MapFd(".data.settings");
  return Result(info, map < 0 ? map : bpf_map_update_elem(map, &zero, &settings, BPF_ANY) < 0 ? -errno : 0);
}

void WakeupTracer::Close() {
  closed_ = true;
  UnmapSeries();
  UnmapCounters();
}
