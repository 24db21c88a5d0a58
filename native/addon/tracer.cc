// SPDX-License-Identifier: Apache-2.0
#include "tracer.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "libbpf_log.h"

Napi::Function Tracer::Define(Napi::Env env) {
  return DefineClass(env, "Tracer",
                     {InstanceMethod("open", &Tracer::Open), InstanceMethod("load", &Tracer::Load),
                      InstanceMethod("attach", &Tracer::Attach), InstanceMethod("visitThreads", &Tracer::VisitThreads),
                      InstanceMethod("addAgent", &Tracer::AddAgent),
                      InstanceMethod("removeAgent", &Tracer::RemoveAgent),
                      InstanceMethod("readSeries", &Tracer::ReadSeries),
                      InstanceMethod("readCounters", &Tracer::ReadCounters),
                      InstanceMethod("listen", &Tracer::Listen), InstanceMethod("setStats", &Tracer::SetStats),
                      InstanceMethod("runTime", &Tracer::RunTime), InstanceMethod("log", &Tracer::Log),
                      InstanceMethod("close", &Tracer::CloseCall)});
}

Tracer::Tracer(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Tracer>(info) {
  napi_add_env_cleanup_hook(info.Env(), OnCleanup, this);
}

Tracer::~Tracer() {
  napi_remove_env_cleanup_hook(Env(), OnCleanup, this);
  Close();
}

void Tracer::OnCleanup(void* self) { static_cast<Tracer*>(self)->Close(); }

static Napi::Value Result(const Napi::CallbackInfo& info, int value) { return Napi::Number::New(info.Env(), value); }

Napi::Value Tracer::Open(const Napi::CallbackInfo& info) {
  if (closed_ || object_) return Result(info, -EBUSY);
  std::string path = info[0].As<Napi::String>();
  LibbpfLog keep(&log_);
  object_ = bpf_object__open_file(path.c_str(), nullptr);
  return Result(info, object_ ? 0 : -errno);
}

Napi::Value Tracer::Load(const Napi::CallbackInfo& info) {
  if (!object_) return Result(info, -EBADF);
  LibbpfLog keep(&log_);
  return Result(info, bpf_object__load(object_));
}

Napi::Value Tracer::Attach(const Napi::CallbackInfo& info) {
  if (!object_) return Result(info, -EBADF);
  std::string name = info[0].As<Napi::String>();
  LibbpfLog keep(&log_);
  bpf_program* program = bpf_object__find_program_by_name(object_, name.c_str());
  if (!program) return Result(info, -ENOENT);
  bpf_link* link = bpf_program__attach(program);
  if (!link) return Result(info, -errno);
  links_.push_back(link);
  return Result(info, 0);
}

int Tracer::MapFd(const char* name) const { return object_ ? bpf_object__find_map_fd_by_name(object_, name) : -EBADF; }

Napi::Value Tracer::VisitThreads(const Napi::CallbackInfo& info) {
  if (!object_) return Result(info, -EBADF);
  uint32_t zero = 0;
  taut_control control = {info[0].As<Napi::Number>().Uint32Value(), info[1].As<Napi::Number>().Uint32Value(),
                          info[2].As<Napi::Number>().Uint32Value(), 0};
  int map = MapFd("control");
  if (bpf_map_update_elem(map, &zero, &control, BPF_ANY) < 0) return Result(info, -errno);

  LibbpfLog keep(&log_);
  bpf_program* program = bpf_object__find_program_by_name(object_, "visit_thread");
  // The iterator of one process came with 6.1; before it, all threads of the host are walked and the program skips.
  bpf_iter_link_info only = {};
  only.task.pid = control.pid;
  LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &only, .link_info_len = sizeof(only));
  bpf_link* link = bpf_program__attach_iter(program, &options);
  if (!link && errno == ESRCH) return Result(info, -ESRCH);
  if (!link) link = bpf_program__attach_iter(program, nullptr);
  if (!link) return Result(info, -errno);
  int iterator = bpf_iter_create(bpf_link__fd(link));
  int result = iterator < 0 ? -errno : 0;
  char nothing[64];
  while (result == 0) {
    ssize_t n = read(iterator, nothing, sizeof(nothing));
    if (n == 0) break;
    if (n < 0 && errno != EINTR && errno != EAGAIN) result = -errno;
  }
  if (iterator >= 0) close(iterator);
  bpf_link__destroy(link);
  if (result == 0 && bpf_map_lookup_elem(map, &zero, &control) == 0) result = static_cast<int>(control.visited);
  return Result(info, result);
}

Napi::Value Tracer::AddAgent(const Napi::CallbackInfo& info) {
  uint32_t pid = info[0].As<Napi::Number>().Uint32Value();
  uint32_t slot = info[1].As<Napi::Number>().Uint32Value();
  if (!object_) return Result(info, -EBADF);
  if (series_.count(slot)) return Result(info, -EEXIST);
  int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "taut_series", sizeof(uint32_t), sizeof(taut_agent_series), 1, nullptr);
  if (map < 0) return Result(info, -errno);
  // The series first: a thread that finds its slot finds its histograms.
  if (bpf_map_update_elem(MapFd("series"), &slot, &map, BPF_ANY) < 0 ||
      bpf_map_update_elem(MapFd("agents"), &pid, &slot, BPF_ANY) < 0) {
    int failed = -errno;
    bpf_map_delete_elem(MapFd("series"), &slot);
    close(map);
    return Result(info, failed);
  }
  series_[slot] = map;
  return Result(info, 0);
}

Napi::Value Tracer::RemoveAgent(const Napi::CallbackInfo& info) {
  uint32_t pid = info[0].As<Napi::Number>().Uint32Value();
  uint32_t slot = info[1].As<Napi::Number>().Uint32Value();
  auto found = series_.find(slot);
  if (!object_ || found == series_.end()) return Result(info, -ENOENT);
  bpf_map_delete_elem(MapFd("agents"), &pid);
  bpf_map_delete_elem(MapFd("series"), &slot);
  close(found->second);
  series_.erase(found);
  return Result(info, 0);
}

Napi::Value Tracer::ReadSeries(const Napi::CallbackInfo& info) {
  auto found = series_.find(info[0].As<Napi::Number>().Uint32Value());
  if (found == series_.end()) return Result(info, -ENOENT);
  auto words = Napi::BigUint64Array::New(info.Env(), sizeof(taut_agent_series) / sizeof(uint64_t));
  uint32_t zero = 0;
  if (bpf_map_lookup_elem(found->second, &zero, words.Data()) < 0) return Result(info, -errno);
  return words;
}

Napi::Value Tracer::ReadCounters(const Napi::CallbackInfo& info) {
  int cpus = libbpf_num_possible_cpus();
  if (!object_ || cpus < 0) return Result(info, -EBADF);
  auto counts = Napi::Array::New(info.Env(), TAUT_COUNTER_COUNT);
  std::vector<uint64_t> values(static_cast<size_t>(cpus));
  int map = MapFd("counters");
  for (uint32_t i = 0; i < TAUT_COUNTER_COUNT; i++) {
    if (bpf_map_lookup_elem(map, &i, values.data()) < 0) return Result(info, -errno);
    uint64_t sum = 0;
    for (uint64_t value : values) sum += value;
    counts.Set(i, static_cast<double>(sum));
  }
  return counts;
}

Napi::Value Tracer::SetStats(const Napi::CallbackInfo& info) {
  bool on = info[0].As<Napi::Boolean>().Value();
  if (on && stats_ < 0) {
    stats_ = bpf_enable_stats(BPF_STATS_RUN_TIME);
    if (stats_ < 0) return Result(info, -errno);
  } else if (!on && stats_ >= 0) {
    close(stats_);
    stats_ = -1;
  }
  return Result(info, 0);
}

Napi::Value Tracer::RunTime(const Napi::CallbackInfo& info) {
  if (!object_) return Result(info, -EBADF);
  auto programs = Napi::Array::New(info.Env());
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    bpf_prog_info about = {};
    uint32_t size = sizeof(about);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &about, &size) < 0) continue;
    auto entry = Napi::Object::New(info.Env());
    entry.Set("name", bpf_program__name(program));
    entry.Set("ns", static_cast<double>(about.run_time_ns));
    entry.Set("runs", static_cast<double>(about.run_cnt));
    programs.Set(programs.Length(), entry);
  }
  return programs;
}

Napi::Value Tracer::Log(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), log_); }

Napi::Value Tracer::CloseCall(const Napi::CallbackInfo& info) {
  Close();
  return info.Env().Undefined();
}

void Tracer::Close() {
  if (closed_) return;
  closed_ = true;
  if (poll_) {
    uv_poll_stop(poll_);
    poll_->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(poll_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
    poll_ = nullptr;
  }
  callback_.Reset();
  ring_buffer__free(ring_);
  ring_ = nullptr;
  for (bpf_link* link : links_) bpf_link__destroy(link);
  links_.clear();
  for (auto& [slot, map] : series_) close(map);
  series_.clear();
  if (stats_ >= 0) close(stats_);
  stats_ = -1;
  bpf_object__close(object_);
  object_ = nullptr;
}
