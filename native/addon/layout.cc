// SPDX-License-Identifier: Apache-2.0
#include "layout.h"

#include <cstddef>

#include "taut.h"

static_assert(sizeof(taut_histogram) % sizeof(taut_u64) == 0);
static_assert(sizeof(taut_agent_series) == TAUT_SERIES * sizeof(taut_histogram));

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
  set("eventFields", TAUT_EVENT_FIELDS);
  return layout;
}
