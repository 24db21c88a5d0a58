// SPDX-License-Identifier: Apache-2.0
// What the programs are told: before they are loaded, what to do without; while they run, what to leave out.
#include <bpf/bpf.h>

#include <cerrno>

#include "arguments.h"
#include "tracer.h"

static Napi::Value Result(const Napi::CallbackInfo& info, int value) { return Napi::Number::New(info.Env(), value); }

Napi::Value Tracer::OmitFeatures(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Has(0) ? args.Text(0) : std::string();
  if (args.Wrong()) return {};
  if (!object_) return Result(info, -EBADF);
  bpf_program* program = name.empty() ? nullptr : bpf_object__find_program_by_name(object_, name.c_str());
  bpf_map* map = bpf_object__find_map_by_name(object_, ".rodata.features");
  if (!map || (!program && !name.empty())) return Result(info, -ENOENT);
  std::vector<char> none(bpf_map__value_size(map));
  int failed = bpf_map__set_initial_value(map, none.data(), none.size());
  return Result(info, failed || !program ? failed : bpf_program__set_autoload(program, false));
}

Napi::Value Tracer::SetSettings(const Napi::CallbackInfo& info) {
  Arguments args(info);
  taut_settings settings = {.sample_mask = args.Number(0), .shed_detail = args.Number(1), .canary_slot = args.Number(2)};
  if (args.Wrong()) return {};
  uint32_t zero = 0;
  int map = MapFd(".data.settings");
  return Result(info, map < 0 ? map : bpf_map_update_elem(map, &zero, &settings, BPF_ANY) < 0 ? -errno : 0);
}

Napi::Value Tracer::EmptySeries(const Napi::CallbackInfo& info) {
  Arguments args(info);
  uint32_t slot = args.Number(0, TAUT_MAX_SLOTS);
  if (args.Wrong()) return {};
  if (!object_ || slot == 0) return Result(info, -EBADF);
  if (int failed = Reserve(slot)) return Result(info, failed);
  Empty(slot);
  return Result(info, 0);
}
