// SPDX-License-Identifier: Apache-2.0
#include "layout.h"

#include <cstddef>
#include <initializer_list>
#include <utility>

#include "taut.h"

static_assert(sizeof(taut_histogram) % sizeof(taut_u64) == 0);
static_assert(sizeof(taut_agent_series) == TAUT_SERIES * sizeof(taut_histogram));

// Where the fields of a struct lie, in bytes, and how many it has.
static Napi::Object Offsets(Napi::Env env, size_t bytes, std::initializer_list<std::pair<const char*, size_t>> fields) {
  auto offsets = Napi::Object::New(env);
  offsets.Set("bytes", static_cast<double>(bytes));
  for (const auto& [name, at] : fields) offsets.Set(name, static_cast<double>(at));
  return offsets;
}

Napi::Object Layout(Napi::Env env) {
  auto layout = Napi::Object::New(env);
  auto set = [&](const char* name, double value) { layout.Set(name, value); };
  set("scale", TAUT_SCALE);
  set("bucketMin", TAUT_BUCKET_MIN);
  set("buckets", TAUT_BUCKETS);
  // In 64-bit words.
  set("histogramWords", sizeof(taut_histogram) / sizeof(taut_u64));
  set("zeroAt", offsetof(taut_histogram, zero) / sizeof(taut_u64));
  set("sumAt", offsetof(taut_histogram, sum) / sizeof(taut_u64));
  set("minAt", offsetof(taut_histogram, min) / sizeof(taut_u64));
  set("maxAt", offsetof(taut_histogram, max) / sizeof(taut_u64));
  set("bucketsAt", offsetof(taut_histogram, buckets) / sizeof(taut_u64));
  set("lateness", TAUT_LATENESS);
  set("slackUse", TAUT_SLACK_USE);
  set("overrun", TAUT_OVERRUN);
  set("latency", TAUT_LATENCY);
  set("runQueue", TAUT_RUN_QUEUE);
  set("handOver", TAUT_HAND_OVER);
  set("reachable", TAUT_REACHABLE);
  set("reachableTuned", TAUT_REACHABLE_TUNED);
  set("beyond", TAUT_BEYOND);
  set("none", TAUT_NONE);
  set("timerSplits", TAUT_TIMER_SPLITS);
  set("series", TAUT_SERIES);
  set("maxAgents", TAUT_MAX_AGENTS);
  auto counters = Napi::Array::New(env);
  uint32_t i = 0;
#define X(name) counters.Set(i++, #name);
  TAUT_COUNTERS(X)
#undef X
  layout.Set("counters", counters);
  auto events = Napi::Array::New(env);
#define X(kind, name) events.Set(static_cast<uint32_t>(kind), #name);
  TAUT_EVENTS(X)
#undef X
  layout.Set("events", events);
  layout.Set("event", Offsets(env, sizeof(taut_event),
                              {{"kind", offsetof(taut_event, kind)},
                               {"pid", offsetof(taut_event, pid)},
                               {"tid", offsetof(taut_event, tid)},
                               {"ppid", offsetof(taut_event, ppid)},
                               {"maker", offsetof(taut_event, maker)},
                               {"size", offsetof(taut_event, size)},
                               {"startNs", offsetof(taut_event, start_ns)},
                               {"atNs", offsetof(taut_event, at_ns)}}));
  return layout;
}
