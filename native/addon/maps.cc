// SPDX-License-Identifier: Apache-2.0
// Reads and writes single numbers in the array maps of a loaded object.
#include <bpf/bpf.h>

#include <cerrno>

#include "arguments.h"
#include "bpf_object.h"

// The descriptor of an array map. Checks the size of its values: if it differs, the kernel would copy past our buffer.
int BpfObject::ArrayFd(const std::string& name, uint32_t value_size) const {
  if (!object_) return -EBADF;
  const bpf_map* map = bpf_object__find_map_by_name(object_, name.c_str());
  if (!map) return -ENOENT;
  bool is_so = bpf_map__type(map) == BPF_MAP_TYPE_ARRAY && bpf_map__value_size(map) == value_size;
  return is_so ? bpf_map__fd(map) : -EINVAL;
}

Napi::Value BpfObject::WriteMap(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Text(0);
  uint32_t index = args.Number(1);
  uint32_t value = args.Number(2);
  if (args.Wrong()) return {};
  int map = ArrayFd(name, sizeof(value));
  int result = map < 0 ? map : bpf_map_update_elem(map, &index, &value, BPF_ANY) < 0 ? -errno : 0;
  return Result(info, result);
}

Napi::Value BpfObject::ReadMap(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Text(0);
  uint32_t index = args.Number(1);
  if (args.Wrong()) return {};
  uint64_t value = 0;
  int map = ArrayFd(name, sizeof(value));
  if (map < 0) return Result(info, map);
  if (bpf_map_lookup_elem(map, &index, &value) < 0) return Result(info, -errno);
  return Napi::Number::New(info.Env(), static_cast<double>(value));
}
