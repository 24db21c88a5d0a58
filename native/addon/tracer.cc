// SPDX-License-Identifier: Apache-2.0
#include "tracer.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "libbpf_log.h"

Napi::Function Tracer::Define(Napi::Env env) {
  return DefineClass(env, "Tracer",
                     {InstanceMethod("open", &Tracer::Open), InstanceMethod("load", &Tracer::Load),
                      InstanceMethod("attach", &Tracer::Attach), InstanceMethod("detach", &Tracer::Detach),
                      InstanceMethod("visitThreads", &Tracer::VisitThreads),
                      InstanceMethod("addAgent", &Tracer::AddAgent),
                      InstanceMethod("reserve", &Tracer::ReserveCall),
                      InstanceMethod("removeAgent", &Tracer::RemoveAgent),
                      InstanceMethod("readSeries", &Tracer::ReadSeries),
                      InstanceMethod("readCounters", &Tracer::ReadCounters),
                      InstanceMethod("listen", &Tracer::Listen), InstanceMethod("setStats", &Tracer::SetStats),
                      InstanceMethod("writeMap", &Tracer::WriteMap), InstanceMethod("readMap", &Tracer::ReadMap),
                      InstanceMethod("runTime", &Tracer::RunTime), InstanceMethod("testRun", &Tracer::TestRun),
                      InstanceMethod("log", &Tracer::Log), InstanceMethod("omitFeatures", &Tracer::OmitFeatures),
                      InstanceMethod("setSettings", &Tracer::SetSettings),
                      InstanceMethod("emptySeries", &Tracer::EmptySeries),
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
  Arguments args(info);
  std::string path = args.Text(0);
  if (args.Wrong()) return {};
  if (closed_ || object_) return Result(info, -EBUSY);
  LibbpfLog keep(&log_);
  object_ = bpf_object__open_file(path.c_str(), nullptr);
  return Result(info, object_ ? 0 : -errno);
}

Napi::Value Tracer::Load(const Napi::CallbackInfo& info) {
  if (!object_) return Result(info, -EBADF);
  LibbpfLog keep(&log_);
  bpf_map* counters = bpf_object__find_map_by_name(object_, "counters");
  if (counters) bpf_map__set_max_entries(counters, static_cast<uint32_t>(libbpf_num_possible_cpus()));
  int failed = bpf_object__load(object_);
  if (!failed && counters) failed = MapCounters(counters);
  if (!failed && MapFd("series") >= 0) failed = Reserve(1);  // the first agent shall not wait for it
  return Result(info, failed);
}

Napi::Value Tracer::Attach(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Text(0);
  bool is_cgroup = args.Has(1);
  std::string directory = is_cgroup ? args.Text(1) : "";
  if (args.Wrong()) return {};
  if (!object_) return Result(info, -EBADF);
  LibbpfLog keep(&log_);
  bpf_program* program = bpf_object__find_program_by_name(object_, name.c_str());
  if (!program) return Result(info, -ENOENT);
  bpf_link* link = nullptr;
  if (is_cgroup) {
    int cgroup = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cgroup < 0) return Result(info, -errno);
    link = bpf_program__attach_cgroup(program, cgroup);
    int failed = errno;
    close(cgroup);
    errno = failed;
  } else {
    link = bpf_program__attach(program);
  }
  if (!link) return Result(info, -errno);
  links_.emplace_back(name, link);
  return Result(info, 0);
}

Napi::Value Tracer::Detach(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Text(0);
  if (args.Wrong()) return {};
  std::erase_if(links_, [&](const auto& link) { return link.first == name && (bpf_link__destroy(link.second), true); });
  return Result(info, 0);
}

int Tracer::MapFd(const char* name) const { return object_ ? bpf_object__find_map_fd_by_name(object_, name) : -EBADF; }

Napi::Value Tracer::VisitThreads(const Napi::CallbackInfo& info) {
  Arguments args(info);
  taut_control control = {args.Number(0), args.Number(1), args.Number(2), args.Has(3) ? args.Number(3) : 0, 0};
  if (args.Wrong()) return {};
  if (!object_) return Result(info, -EBADF);
  uint32_t zero = 0;
  int map = MapFd("control");
  if (bpf_map_update_elem(map, &zero, &control, BPF_ANY) < 0) return Result(info, -errno);

  LibbpfLog keep(&log_);
  bpf_program* program = bpf_object__find_program_by_name(object_, "visit_thread");
  if (!program) return Result(info, -ENOENT);
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

Napi::Value Tracer::SetStats(const Napi::CallbackInfo& info) {
  Arguments args(info);
  bool on = args.Flag(0);
  if (args.Wrong()) return {};
  if (on && closed_) return Result(info, -EBADF);  // nobody would turn it off again
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
    entry.Set("missed", static_cast<double>(about.recursion_misses));
    programs.Set(programs.Length(), entry);
  }
  return programs;
}

// Runs a `syscall` program once for each pair of words: it reads the first and writes the second.
Napi::Value Tracer::TestRun(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Text(0);
  Napi::BigUint64Array words = args.LongWords(1);
  if (args.Wrong()) return {};
  if (!object_) return Result(info, -EBADF);
  bpf_program* program = bpf_object__find_program_by_name(object_, name.c_str());
  if (!program) return Result(info, -ENOENT);
  for (size_t i = 0; i + 1 < words.ElementLength(); i += 2) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = words.Data() + i, .ctx_size_in = 2 * sizeof(uint64_t));
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) < 0) return Result(info, -errno);
  }
  return Result(info, 0);
}

Napi::Value Tracer::Log(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), log_); }

Napi::Value Tracer::CloseCall(const Napi::CallbackInfo& info) {
  Close();
  return info.Env().Undefined();
}

void Tracer::Close() {
  if (closed_) return;
  closed_ = true;
  if (poll_) StopPolling(poll_);
  callback_.Reset();
  ring_buffer__free(ring_);
  ring_ = nullptr;
  for (const auto& link : links_) bpf_link__destroy(link.second);
  links_.clear();
  ReleaseSeries();
  UnmapCounters();
  if (stats_ >= 0) close(stats_);
  stats_ = -1;
  bpf_object__close(object_);
  object_ = nullptr;
}
