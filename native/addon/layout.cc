// SPDX-License-Identifier: Apache-2.0
#include "layout.h"

#include <cstddef>
#include <initializer_list>
#include <utility>

#include "canary.h"
#include "names.h"
#include "taut.h"

static_assert(sizeof(taut_histogram) % sizeof(taut_u64) == 0);
static_assert(sizeof(taut_agent_series) == TAUT_SERIES * sizeof(taut_histogram));

static Napi::Object Numbers(Napi::Env env, std::initializer_list<std::pair<const char*, size_t>> named) {
  auto numbers = Napi::Object::New(env);
  for (const auto& [name, number] : named) numbers.Set(name, static_cast<double>(number));
  return numbers;
}

// The offsets of a struct's fields and the struct's size, in bytes.
static Napi::Object Offsets(Napi::Env env, size_t bytes, std::initializer_list<std::pair<const char*, size_t>> fields) {
  auto offsets = Numbers(env, fields);
  offsets.Set("bytes", static_cast<double>(bytes));
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
  layout.Set("visit", Numbers(env, {{"attach", TAUT_VISIT_ATTACH}, {"detach", TAUT_VISIT_DETACH}}));

  auto contacts = Napi::Array::New(env);
#define X(kind, name) contacts.Set(static_cast<uint32_t>(kind), #name);
  TAUT_CONTACTS(X)
#undef X
  layout.Set("contacts", contacts);
  layout.Set("contact", Offsets(env, sizeof(taut_contact),
                                {{"pid", offsetof(taut_contact, pid)},
                                 {"tid", offsetof(taut_contact, tid)},
                                 {"atNs", offsetof(taut_contact, at_ns)},
                                 {"startNs", offsetof(taut_contact, start_ns)},
                                 {"cookie", offsetof(taut_contact, cookie)},
                                 {"length", offsetof(taut_contact, length)},
                                 {"transport", offsetof(taut_contact, transport)},
                                 {"kind", offsetof(taut_contact, kind)},
                                 {"port", offsetof(taut_contact, port)},
                                 {"offset", offsetof(taut_contact, offset)},
                                 {"addressLength", offsetof(taut_contact, address_length)},
                                 {"address", offsetof(taut_contact, address)},
                                 {"payload", offsetof(taut_contact, payload)}}));
  layout.Set("transport", Numbers(env, {{"udp", TAUT_UDP}, {"tcp", TAUT_TCP}}));
  layout.Set("wanted", Numbers(env, {{"names", TAUT_WANT_NAMES},
                                     {"connections", TAUT_WANT_CONNECTIONS},
                                     {"answers", TAUT_WANT_ANSWERS}}));
  set("helloBytes", TAUT_HELLO_BYTES);

  layout.Set("wake", Offsets(env, sizeof(CanaryWake),
                             {{"deadline", offsetof(CanaryWake, deadline)},
                              {"woke", offsetof(CanaryWake, woke)},
                              {"cpu", offsetof(CanaryWake, cpu)},
                              {"sleeps", offsetof(CanaryWake, sleeps)},
                              {"preempted", offsetof(CanaryWake, preempted)}}));
  return layout;
}
