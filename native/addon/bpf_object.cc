// SPDX-License-Identifier: Apache-2.0
#include "bpf_object.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "libbpf_log.h"
#include "signals_blocked.h"

// Marks objects of this class, so that other classes can recognise them.
static constexpr napi_type_tag kTag = {0x7461757420627066, 0x206f626a65637421};

Napi::Function BpfObject::Define(Napi::Env env) {
  return DefineClass(
      env, "BpfObject",
      {InstanceMethod("open", &BpfObject::Open), InstanceMethod("omitFeatures", &BpfObject::OmitFeatures),
       InstanceMethod("omitProgram", &BpfObject::OmitProgram), InstanceMethod("load", &BpfObject::LoadCall),
       InstanceMethod("attach", &BpfObject::Attach), InstanceMethod("attachToCgroup", &BpfObject::AttachToCgroup),
       InstanceMethod("detach", &BpfObject::Detach), InstanceMethod("addRing", &BpfObject::AddRing),
       InstanceMethod("listen", &BpfObject::Listen),
       InstanceMethod("writeMap", &BpfObject::WriteMap), InstanceMethod("readMap", &BpfObject::ReadMap),
       InstanceMethod("setStats", &BpfObject::SetStats), InstanceMethod("runTime", &BpfObject::RunTime),
       InstanceMethod("testRun", &BpfObject::TestRun), InstanceMethod("log", &BpfObject::Log),
       InstanceMethod("close", &BpfObject::CloseCall)});
}

BpfObject::BpfObject(const Napi::CallbackInfo& info) : Closable(info) {
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

BpfObject* BpfObject::From(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTag)) return nullptr;
  return Unwrap(value.As<Napi::Object>());
}

bpf_program* BpfObject::Program(const std::string& name) const {
  return object_ ? bpf_object__find_program_by_name(object_, name.c_str()) : nullptr;
}

int BpfObject::MapFd(const char* name) const { return object_ ? bpf_object__find_map_fd_by_name(object_, name) : -EBADF; }

Napi::Value BpfObject::Open(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string path = args.Text(0);
  if (args.Wrong()) return {};
  if (closed_ || object_) return Result(info, -EBUSY);
  LibbpfLog keep(&log_);
  object_ = bpf_object__open_file(path.c_str(), nullptr);
  return Result(info, object_ ? 0 : -errno);
}

Napi::Value BpfObject::OmitFeatures(const Napi::CallbackInfo& info) {
  if (!object_) return Result(info, -EBADF);
  bpf_map* map = bpf_object__find_map_by_name(object_, ".rodata.features");
  if (!map) return Result(info, -ENOENT);
  std::vector<char> none(bpf_map__value_size(map));
  return Result(info, bpf_map__set_initial_value(map, none.data(), none.size()));
}

Napi::Value BpfObject::OmitProgram(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Text(0);
  if (args.Wrong()) return {};
  if (!object_) return Result(info, -EBADF);
  bpf_program* program = Program(name);
  return Result(info, program ? bpf_program__set_autoload(program, false) : -ENOENT);
}

int BpfObject::Load() {
  if (!object_) return -EBADF;
  LibbpfLog keep(&log_);
  SignalsBlocked blocked; // with a signal pending the verifier gives up (EAGAIN): a profiler sends them all the time
  return bpf_object__load(object_);
}

Napi::Value BpfObject::LoadCall(const Napi::CallbackInfo& info) { return Result(info, Load()); }

// Keeps the link. Call directly after the attach call: on failure this reads errno.
int BpfObject::Attached(const std::string& name, bpf_link* link) {
  if (!link) return -errno;
  links_.emplace_back(name, link);
  return 0;
}

Napi::Value BpfObject::Attach(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Text(0);
  if (args.Wrong()) return {};
  if (!object_) return Result(info, -EBADF);
  LibbpfLog keep(&log_);
  bpf_program* program = Program(name);
  return Result(info, program ? Attached(name, bpf_program__attach(program)) : -ENOENT);
}

Napi::Value BpfObject::AttachToCgroup(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Text(0);
  std::string directory = args.Text(1);
  if (args.Wrong()) return {};
  if (!object_) return Result(info, -EBADF);
  LibbpfLog keep(&log_);
  bpf_program* program = Program(name);
  if (!program) return Result(info, -ENOENT);
  int cgroup = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cgroup < 0) return Result(info, -errno);
  int result = Attached(name, bpf_program__attach_cgroup(program, cgroup));
  close(cgroup);
  return Result(info, result);
}

Napi::Value BpfObject::Detach(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Text(0);
  if (args.Wrong()) return {};
  std::erase_if(links_, [&](const auto& link) { return link.first == name && (bpf_link__destroy(link.second), true); });
  return Result(info, 0);
}

Napi::Value BpfObject::AddRing(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string map = args.Text(0);
  uint32_t most = args.Number(1);
  if (args.Wrong()) return {};
  if (!object_) return Result(info, -EBADF);
  int fd = MapFd(map.c_str());
  return Result(info, fd < 0 ? fd : ring_.Add(fd, most));
}

Napi::Value BpfObject::Listen(const Napi::CallbackInfo& info) {
  Arguments args(info);
  uint32_t time_at = args.Number(0);
  Napi::Function callback = args.Callback(1);
  if (args.Wrong()) return {};
  if (!object_) return Result(info, -EBADF);
  return Result(info, ring_.Open(time_at, callback));
}

Napi::Value BpfObject::Log(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), log_); }

void BpfObject::Close() {
  if (closed_) return;
  closed_ = true;
  ring_.Close();
  for (const auto& link : links_) bpf_link__destroy(link.second);
  links_.clear();
  if (stats_ >= 0) close(stats_);
  stats_ = -1;
  bpf_object__close(object_);
  object_ = nullptr;
}
