// SPDX-License-Identifier: Apache-2.0
// Reads the counters of every processor while the kernel counts.
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

// A program counts a wakeup first as seen and then by outcome, on one processor. This function reads the outcomes
// first: if `wakeup_seen` equals their sum, no wakeup was half counted. Otherwise one is being counted right now, and
// the caller tries again.
static bool ReadBetweenDecisions(const taut_counters& cpu, Counters& into) {
  uint64_t outcomes = 0;
  for (uint32_t i = TAUT_FIRST_OUTCOME; i < TAUT_COUNTER_COUNT; i++) {
    into[i] = Word(cpu.counter[i]);
    if (i < TAUT_OUTCOMES_END) outcomes += into[i];
  }
  into[TAUT_COUNT_wakeup_seen] = Word(cpu.counter[TAUT_COUNT_wakeup_seen]);
  return into[TAUT_COUNT_wakeup_seen] == outcomes;
}

// After this many tries, sleep in between: the program may be waiting for this processor.
static constexpr int kSpins = 100;
// After this many tries the counters are returned even if they do not add up: then counts were lost, and it must show.
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
