// SPDX-License-Identifier: Apache-2.0
#include "calibration_load.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "arguments.h"
#include "signals_blocked.h"

namespace {

void Sleep(std::atomic<uint32_t>& word, uint32_t while_it_is) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, while_it_is, nullptr, nullptr, 0);
}

void Wake(std::atomic<uint32_t>& word, int n) { syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, n, nullptr, nullptr, 0); }

uint64_t CpuTime() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

}  // namespace

Napi::Function CalibrationLoad::Define(Napi::Env env) {
  return DefineClass(env, "CalibrationLoad",
                     {InstanceMethod("start", &CalibrationLoad::Start), InstanceMethod("run", &CalibrationLoad::Run),
                      InstanceMethod("close", &CalibrationLoad::CloseCall)});
}

void* CalibrationLoad::Serve(void* argument) {
  auto& side = *static_cast<Side*>(argument);
  pthread_setname_np(pthread_self(), "taut-calibrate");
  side.tid = static_cast<int>(syscall(SYS_gettid));
  side.tid.notify_one();
  for (uint32_t round = 0;; round++) {
    while (side.load->round_ == round) Sleep(side.load->round_, round);
    if (side.load->turns_ == 0) return nullptr;
    uint64_t before = CpuTime();
    side.load->TakeTurns(side);
    side.cpu_ns = CpuTime() - before;
    side.load->done_++;
    side.load->done_.notify_one();
  }
}

void CalibrationLoad::TakeTurns(Side& side) {
  char byte = 0;
  for (uint32_t i = 0; i < turns_; i++) {
    if (side.index == 1 && read(pipes_[1][0], &byte, 1) != 1) return;
    if (write(pipes_[1 - side.index][1], &byte, 1) != 1) return;
    if (side.index == 0 && read(pipes_[0][0], &byte, 1) != 1) return;
  }
}

Napi::Value CalibrationLoad::Start(const Napi::CallbackInfo& info) {
  if (started_) return Napi::Number::New(info.Env(), -EBUSY);
  // Both threads run on one CPU that this process may use, so that each wakeup leads to a switch.
  cpu_set_t allowed, one;
  CPU_ZERO(&one);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0) return Napi::Number::New(info.Env(), -errno);
  int cpu = CPU_SETSIZE - 1;
  while (cpu > 0 && !CPU_ISSET(cpu, &allowed)) cpu--;
  CPU_SET(cpu, &one);
  for (auto& ends : pipes_)
    if (pipe2(ends, O_CLOEXEC) < 0) return Napi::Number::New(info.Env(), -errno);
  int failed = 0;
  for (Side& side : sides_) {
    SignalsBlocked blocked;
    failed = pthread_create(&side.thread, nullptr, Serve, &side);
    if (failed) break;
    started_++;
    pthread_setaffinity_np(side.thread, sizeof(one), &one);
    side.tid.wait(0);
  }
  if (failed) {
    Close();
    return Napi::Number::New(info.Env(), -failed);
  }
  auto ids = Napi::Array::New(info.Env(), 2);
  for (uint32_t i = 0; i < 2; i++) ids.Set(i, sides_[i].tid.load());
  return ids;
}

Napi::Value CalibrationLoad::Run(const Napi::CallbackInfo& info) {
  Arguments args(info);
  uint32_t turns = args.Number(0);
  if (args.Wrong()) return {};
  if (started_ != 2) return Napi::Number::New(info.Env(), -EBADF);
  turns_ = turns;
  if (turns_ == 0) return Napi::Number::New(info.Env(), -EINVAL);
  done_ = 0;
  round_++;
  Wake(round_, 2);
  for (uint32_t done = done_; done < 2; done = done_) done_.wait(done);
  return Napi::Number::New(info.Env(), static_cast<double>(sides_[0].cpu_ns + sides_[1].cpu_ns));
}

void CalibrationLoad::Close() {
  turns_ = 0;
  round_++;
  Wake(round_, 2);
  while (started_ > 0) pthread_join(sides_[--started_].thread, nullptr);
  for (auto& ends : pipes_)
    for (int& end : ends)
      if (end >= 0) close(std::exchange(end, -1));
}
