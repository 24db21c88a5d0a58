// SPDX-License-Identifier: Apache-2.0
// Single numbers in the arrays of a loaded set of programs.
#include <bpf/bpf.h>

#include <cerrno>

#include "tracer.h"

Napi::Value Tracer::WriteMap(const Napi::CallbackInfo& info) {
  uint32_t index = info[1].As<Napi::Number>().Uint32Value();
  uint32_t value = info[2].As<Napi::Number>().Uint32Value();
  int map = MapFd(info[0].As<Napi::String>().Utf8Value().c_str());
  int result = map < 0 ? map : bpf_map_update_elem(map, &index, &value, BPF_ANY) < 0 ? -errno : 0;
  return Napi::Number::New(info.Env(), result);
}

Napi::Value Tracer::ReadMap(const Napi::CallbackInfo& info) {
  uint32_t index = info[1].As<Napi::Number>().Uint32Value();
  uint64_t value = 0;
  int map = MapFd(info[0].As<Napi::String>().Utf8Value().c_str());
  if (map < 0) return Napi::Number::New(info.Env(), map);
  if (bpf_map_lookup_elem(map, &index, &value) < 0) return Napi::Number::New(info.Env(), -errno);
  return Napi::Number::New(info.Env(), static_cast<double>(value));
}
