// SPDX-License-Identifier: Apache-2.0
// Runs the kernel's iterator over the threads of one process.
#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "arguments.h"
#include "libbpf_log.h"
#include "wakeup_tracer.h"

// Runs the iterator to its end. `told` gets what the program wrote.
int WakeupTracer::Visit(taut_control control, std::vector<char>& told) {
  uint32_t zero = 0;
  int map = MapFd("control");
  if (map < 0) return map;
  if (bpf_map_update_elem(map, &zero, &control, BPF_ANY) < 0) return -errno;

  LibbpfLog keep(programs_->LogSink());
  bpf_program* program = programs_->Program("visit_thread");
  if (!program) return -ENOENT;
  // The iterator over one process came with Linux 6.1; before, it walks all threads of the host, and the program skips.
  bpf_iter_link_info only = {};
  only.task.pid = control.pid;
  LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &only, .link_info_len = sizeof(only));
  bpf_link* link = bpf_program__attach_iter(program, &options);
  if (!link && errno == ESRCH) return -ESRCH;
  if (!link) link = bpf_program__attach_iter(program, nullptr);
  if (!link) return -errno;
  int iterator = bpf_iter_create(bpf_link__fd(link));
  int result = iterator < 0 ? -errno : 0;
  char piece[4096];
  while (result == 0) {
    ssize_t n = read(iterator, piece, sizeof(piece));
    if (n == 0) break;
    if (n > 0) told.insert(told.end(), piece, piece + n);
    if (n < 0 && errno != EINTR && errno != EAGAIN) result = -errno;
  }
  if (iterator >= 0) close(iterator);
  bpf_link__destroy(link);
  if (result == 0 && bpf_map_lookup_elem(map, &zero, &control) == 0) result = static_cast<int>(control.visited);
  return result;
}

Napi::Value WakeupTracer::VisitThreads(const Napi::CallbackInfo& info) {
  Arguments args(info);
  taut_control control = {args.Number(0), args.Number(1), args.Number(2), args.Number(3), args.Number(4), args.Number(5), 0};
  if (args.Wrong()) return {};
  std::vector<char> nothing;
  return Result(info, Visit(control, nothing));
}

Napi::Value WakeupTracer::ReadSlices(const Napi::CallbackInfo& info) {
  Arguments args(info);
  taut_control control = {TAUT_VISIT_SLICES, args.Number(0), 0, 0, 0, 0, 0};
  if (args.Wrong()) return {};
  std::vector<char> told;
  if (int failed = Visit(control, told); failed < 0) return Result(info, failed);
  size_t n = told.size() / sizeof(taut_slice);
  auto words = Napi::Uint32Array::New(info.Env(), 2 * n);
  static_assert(sizeof(taut_slice) == 2 * sizeof(uint32_t));
  if (n > 0) std::memcpy(words.Data(), told.data(), n * sizeof(taut_slice));
  return words;
}
