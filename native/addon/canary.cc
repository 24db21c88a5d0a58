// SPDX-License-Identifier: Apache-2.0
#include "canary.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "arguments.h"
#include "signals_blocked.h"

namespace {

constexpr size_t kKept = 4096;  // the most wakes kept until they are taken: more than any window has

uint64_t Now(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

timespec TimeOf(uint64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

rusage Switches() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage;
}

}  // namespace

Napi::Function Canary::Define(Napi::Env env) {
  return DefineClass(env, "Canary",
                     {InstanceMethod("start", &Canary::Start), InstanceMethod("take", &Canary::Take),
                      InstanceMethod("until", &Canary::Until), InstanceMethod("close", &Canary::CloseCall)});
}

void* Canary::Run(void* self) {
  static_cast<Canary*>(self)->SleepForever();
  return nullptr;
}

// The thread is ended by cancellation, enabled only while it sleeps: there it holds no lock and no partial record.
void Canary::SleepForever() {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  pthread_setname_np(pthread_self(), "taut-canary");
  prctl(PR_SET_TIMERSLACK, 1);  // 1 ns: the remaining lateness is the host's own
  std::minstd_rand random(std::random_device{}());
  // Random sleeps of 0.5 to 1.5 times the mean, so that the canary is in step with nothing else on this host.
  std::uniform_int_distribution<uint64_t> wait(interval_ns_ / 2, interval_ns_ + interval_ns_ / 2);
  rusage before = Switches();
  tid_ = static_cast<int>(syscall(SYS_gettid));
  tid_.notify_one();
  for (;;) {
    uint64_t deadline = Now(CLOCK_MONOTONIC) + wait(random);
    timespec until = TimeOf(deadline);
    until_ = deadline;
    uint64_t cpu = Now(CLOCK_THREAD_CPUTIME_ID);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
    int failed = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    uint64_t woke = Now(CLOCK_MONOTONIC);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    cpu = Now(CLOCK_THREAD_CPUTIME_ID) - cpu;
    rusage after = Switches();
    if (!failed) {
      std::lock_guard hold(mutex_);
      if (wakes_.size() < kKept)
        wakes_.push_back({deadline, woke, cpu, static_cast<uint64_t>(after.ru_nvcsw - before.ru_nvcsw),
                          static_cast<uint64_t>(after.ru_nivcsw - before.ru_nivcsw)});
    }
    before = Switches();  // again, because waiting for the lock may have caused switches
  }
}

Napi::Value Canary::Start(const Napi::CallbackInfo& info) {
  auto result = [&](int value) { return Napi::Number::New(info.Env(), value); };
  Arguments args(info);
  uint32_t interval_ns = args.Number(0);
  if (args.Wrong()) return {};
  if (closed_ || running_) return result(-EBUSY);
  interval_ns_ = interval_ns;
  SignalsBlocked blocked; // the canary must handle none
  int failed = pthread_create(&thread_, nullptr, Run, this);
  if (failed) return result(-failed);
  running_ = true;
  tid_.wait(0);
  return result(tid_);
}

Napi::Value Canary::Take(const Napi::CallbackInfo& info) {
  std::vector<CanaryWake> taken;
  {
    std::lock_guard hold(mutex_);
    taken.swap(wakes_);
  }
  auto words = Napi::BigUint64Array::New(info.Env(), taken.size() * sizeof(CanaryWake) / sizeof(uint64_t));
  if (!taken.empty()) memcpy(words.Data(), taken.data(), words.ByteLength());
  return words;
}

Napi::Value Canary::Until(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), static_cast<uint64_t>(until_.load()));
}

void Canary::Close() {
  closed_ = true;
  if (!running_) return;
  running_ = false;
  pthread_cancel(thread_);
  pthread_join(thread_, nullptr);
}
