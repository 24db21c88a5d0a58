// SPDX-License-Identifier: Apache-2.0
// The counters of every processor, read while the kernel counts.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "arguments.h"
#include "wakeup_tracer.h"

using Counters = std::array<uint64_t, TAUT_COUNTER_COUNT>;

int WakeupTracer::MapCounters() {
  const bpf_map* counters = bpf_object__find_map_by_name(programs_->Object(), "counters");
  processors_ = bpf_map__max_entries(counters);
  void* memory = mmap(nullptr, processors_ * sizeof(taut_counters), PROT_READ, MAP_SHARED, bpf_map__fd(counters), 0);
  if (memory == MAP_FAILED) return -errno;
  counters_ = static_cast<taut_counters*>(memory);
  return 0;
}

void WakeupTracer::UnmapCounters() {
  if (counters_) munmap(counters_, processors_ * sizeof(taut_counters));
  counters_ = nullptr;
}

static uint64_t Word(const taut_u64& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }

// A program counts a wakeup as seen and then its outcome, on one processor. So whoever reads the outcomes first, and
// finds that no more was seen, has read an instant at which nothing was being decided there. Otherwise it is being
// decided right now, and a moment later it is not.
static bool ReadBetweenDecisions(const taut_counters& cpu, Counters& into) {
  uint64_t outcomes = 0;
  for (uint32_t i = TAUT_FIRST_OUTCOME; i < TAUT_COUNTER_COUNT; i++) {
    into[i] = Word(cpu.counter[i]);
    if (i < TAUT_OUTCOMES_END) outcomes += into[i];
  }
  into[TAUT_COUNT_wakeup_seen] = Word(cpu.counter[TAUT_COUNT_wakeup_seen]);
  return into[TAUT_COUNT_wakeup_seen] == outcomes;
}

// After so many tries the program may be waiting for this very processor, so it is let on.
static constexpr int kSpins = 100;
// Counters that still do not add up have lost something: they are handed out as they are, for all to see.
static constexpr int kTries = 1'000;

Napi::Value WakeupTracer::ReadCounters(const Napi::CallbackInfo& info) {
  if (!counters_) return Result(info, -EBADF);
  Counters sum = {};
  for (size_t cpu = 0; cpu < processors_; cpu++) {
    Counters one = {};
    for (int i = 0; i < kTries && !ReadBetweenDecisions(counters_[cpu], one); i++)
      if (i >= kSpins) usleep(10);
    for (size_t i = 0; i < sum.size(); i++) sum[i] += one[i];
  }
  auto counts = Napi::Array::New(info.Env(), sum.size());
  for (uint32_t i = 0; i < sum.size(); i++) counts.Set(i, static_cast<double>(sum[i]));
  return counts;
}
