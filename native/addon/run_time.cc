// SPDX-License-Identifier: Apache-2.0
// The run time of an object's programs, and test runs of one program.
#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "bpf_object.h"

Napi::Value BpfObject::SetStats(const Napi::CallbackInfo& info) {
  Arguments args(info);
  bool on = args.Flag(0);
  if (args.Wrong()) return {};
  if (on && closed_) return Result(info, -EBADF);  // nothing would turn the statistics off again
  if (on && stats_ < 0) {
    stats_ = bpf_enable_stats(BPF_STATS_RUN_TIME);
    if (stats_ < 0) return Result(info, -errno);
  } else if (!on && stats_ >= 0) {
    close(stats_);
    stats_ = -1;
  }
  return Result(info, 0);
}

Napi::Value BpfObject::RunTime(const Napi::CallbackInfo& info) {
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

// Runs a `syscall` program once for each pair of words: the program reads the first word and writes the second.
Napi::Value BpfObject::TestRun(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string name = args.Text(0);
  Napi::BigUint64Array words = args.LongWords(1);
  if (args.Wrong()) return {};
  if (!object_) return Result(info, -EBADF);
  bpf_program* program = Program(name);
  if (!program) return Result(info, -ENOENT);
  for (size_t i = 0; i + 1 < words.ElementLength(); i += 2) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = words.Data() + i, .ctx_size_in = 2 * sizeof(uint64_t));
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) < 0) return Result(info, -errno);
  }
  return Result(info, 0);
}
