// SPDX-License-Identifier: Apache-2.0
#include "layout.h"

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "canary.h"
#include "names.h"
#include "taut.h"

static_assert(sizeof(taut_histogram) % sizeof(taut_u64) == 0);
static_assert(sizeof(taut_agent_series) == TAUT_SERIES_WITH_SLICES * sizeof(taut_histogram));

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

// Whether a quantity is split by the scheduler's slice.
static bool IsBySlice(std::string_view quantity) {
#define X(name, metric, split) \
  if (quantity == #metric) return true;
  TAUT_SLICE_QUANTITIES(X)
#undef X
  return false;
}

// What each of an agent's histograms is about: a quantity, and what splits it.
static Napi::Array Series(Napi::Env env) {
  auto all = Napi::Array::New(env);
  uint32_t i = 0;
  auto add = [&](const char* quantity, std::string_view slice, std::string_view source, std::string_view slack_class,
                 std::string_view tuned) {
    auto text = [&](std::string_view word) {
      return word == "any" ? env.Undefined() : Napi::Value(Napi::String::New(env, word.data()));
    };
    auto one = Napi::Object::New(env);
    one.Set("quantity", quantity);
    one.Set("source", text(source));
    one.Set("slackClass", text(slack_class));
    one.Set("tuned", tuned == "any" ? env.Undefined() : Napi::Value(Napi::Boolean::New(env, tuned == "yes")));
    one.Set("slice", text(slice));
    all.Set(i++, one);
  };
  const char* quantity;
  const char* slice;
#define SPLIT(name, source, slack_class, tuned) add(quantity, slice, #source, #slack_class, #tuned);
#define X(name, metric, split)                      \
  quantity = #metric;                               \
  slice = IsBySlice(quantity) ? "default" : "any"; \
  split(SPLIT)
  TAUT_QUANTITIES(X)
#undef X
#define X(name, metric, split) \
  quantity = #metric;          \
  slice = "tuned";             \
  split(SPLIT)
  TAUT_SLICE_QUANTITIES(X)
#undef X
#undef SPLIT
  return all;
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
  layout.Set("series", Series(env));
  set("maxAgents", TAUT_MAX_AGENTS);
  set("blockAgents", TAUT_BLOCK_AGENTS);
  set("blocks", TAUT_BLOCKS);
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
                               {"user", offsetof(taut_event, user)},
                               {"held", offsetof(taut_event, held)},
                               {"startNs", offsetof(taut_event, start_ns)},
                               {"atNs", offsetof(taut_event, at_ns)}}));
  layout.Set("visit", Numbers(env, {{"attach", TAUT_VISIT_ATTACH}, {"detach", TAUT_VISIT_DETACH}, {"retell", TAUT_VISIT_RETELL}, {"slices", TAUT_VISIT_SLICES}}));
  set("holdNs", TAUT_HOLD_NS);

  auto contacts = Napi::Array::New(env);
#define X(kind, name) contacts.Set(static_cast<uint32_t>(kind), #name);
  TAUT_CONTACTS(X)
#undef X
  layout.Set("contacts", contacts);
  layout.Set("contact", Offsets(env, sizeof(taut_contact),
                                {{"pid", offsetof(taut_contact, pid)},
                                 {"held", offsetof(taut_contact, held)},
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
