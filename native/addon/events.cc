// SPDX-License-Identifier: Apache-2.0
// The ring buffer on Node's own loop: what the kernel tells becomes one call with an array of events.
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "tracer.h"

// Whoever starts an agent runs on for its whole slice before taut, woken on the same CPU, may look at what it started.
// A thread that asks for a shorter slice gets no more of a CPU, but gets it sooner (EEVDF, Linux 6.12; elsewhere it
// changes nothing). Its children don't inherit it.
static void AskForShortSlice() {
  constexpr uint64_t kSliceNs = 100'000;  // the shortest that the kernel takes
  constexpr uint64_t kResetOnFork = 1;    // SCHED_FLAG_RESET_ON_FORK
  // struct sched_attr, version 0; <linux/sched/types.h> can't be included beside <sched.h>.
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attr = {};
  if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0 || attr.policy != SCHED_OTHER) return;
  attr.runtime = kSliceNs;
  attr.flags |= kResetOnFork;
  syscall(SYS_sched_setattr, 0, &attr, 0);
}

int Tracer::OnEvent(void* self, void* data, size_t size) {
  auto* tracer = static_cast<Tracer*>(self);
  if (tracer->is_raw_)
    tracer->raw_.emplace_back(static_cast<char*>(data), size);
  else if (const auto* event = static_cast<taut_event*>(data);
           size >= sizeof(*event) && event->size <= size - sizeof(*event))
    tracer->pending_.push_back({*event, {reinterpret_cast<const char*>(event + 1), event->size}});
  return 0;
}

// Its own allocation: libuv needs it until the close callback, which a worker's environment waits for before it unloads
// this code.
struct Tracer::Poll {
  uv_poll_t handle;  // first, so that one pointer is both
  Tracer* tracer;    // null once it is being closed
  napi_async_cleanup_hook_handle hook;
};

void Tracer::OnReadable(uv_poll_t* handle, int, int) {
  auto* poll = reinterpret_cast<Poll*>(handle);
  if (poll->tracer) poll->tracer->Drain();
}

void Tracer::StopPolling(Poll* poll) {
  if (!poll->tracer) return;
  poll->tracer->poll_ = nullptr;
  poll->tracer = nullptr;
  uv_poll_stop(&poll->handle);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll->handle), [](uv_handle_t* handle) {
    auto* closed = reinterpret_cast<Poll*>(handle);
    napi_remove_async_cleanup_hook(closed->hook);
    delete closed;
  });
}

void Tracer::OnEnvironmentEnds(napi_async_cleanup_hook_handle, void* poll) { StopPolling(static_cast<Poll*>(poll)); }

// An environment that is ending runs its loop once more to close what is open, and lets nothing be called any more.
static bool MayCall(Napi::Env env) {
  bool has = false;
  return napi_has_named_property(env, env.Global(), "Array", &has) == napi_ok;
}

void Tracer::Drain() {
  Napi::HandleScope scope(Env());
  ring_buffer__consume(ring_);
  if (!MayCall(Env())) {
    raw_.clear();
    pending_.clear();
    return;
  }
  if (!raw_.empty()) {
    auto records = Napi::Array::New(Env(), raw_.size());
    for (uint32_t i = 0; i < raw_.size(); i++)
      records.Set(i, Napi::Buffer<char>::Copy(Env(), raw_[i].data(), raw_[i].size()));
    raw_.clear();
    Tell(records);
    return;
  }
  if (pending_.empty()) return;
  // Field by field in one array: objects are made by TypeScript, many times faster than from here.
  auto fields = Napi::Array::New(Env(), TAUT_EVENT_FIELDS * pending_.size());
  uint32_t at = 0;
  for (const auto& [event, cmdline] : pending_) {
    for (uint32_t number : {event.kind, event.pid, event.tid, event.ppid, event.maker}) fields.Set(at++, number);
    for (uint64_t ns : {event.start_ns, event.at_ns}) fields.Set(at++, Napi::BigInt::New(Env(), ns));
    fields.Set(at++, cmdline.empty() ? Env().Undefined() : Napi::String::New(Env(), cmdline));
  }
  pending_.clear();
  Tell(fields);
}

// napi_make_callback, as we come from the loop: it runs the microtasks. An exception becomes an uncaught one.
void Tracer::Tell(Napi::Array what) {
  napi_value argument = what, result;
  if (napi_make_callback(Env(), nullptr, Env().Global(), callback_.Value(), 1, &argument, &result) !=
      napi_pending_exception)
    return;
  napi_value error;
  if (napi_get_and_clear_last_exception(Env(), &error) == napi_ok) napi_fatal_exception(Env(), error);
}

Napi::Value Tracer::Listen(const Napi::CallbackInfo& info) {
  Arguments args(info);
  Napi::Function callback = args.Callback(0);
  bool is_raw = args.Has(1);
  std::string map = is_raw ? args.Text(1) : "events";
  if (args.Wrong()) return {};
  auto result = [&](int value) { return Napi::Number::New(info.Env(), value); };
  if (!object_) return result(-EBADF);
  if (poll_) return result(-EBUSY);
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(info.Env(), &loop);
  ring_buffer__free(ring_);  // of a listen that failed
  is_raw_ = is_raw;
  ring_ = ring_buffer__new(MapFd(map.c_str()), OnEvent, this, nullptr);
  if (!ring_) return result(-errno);
  callback_ = Napi::Persistent(callback);
  poll_ = new Poll{};
  int failed = uv_poll_init(loop, &poll_->handle, ring_buffer__epoll_fd(ring_));
  if (failed) {
    delete poll_;
    poll_ = nullptr;
    return result(failed);
  }
  poll_->tracer = this;
  napi_add_async_cleanup_hook(info.Env(), OnEnvironmentEnds, poll_, &poll_->hook);
  AskForShortSlice();
  uv_poll_start(&poll_->handle, UV_READABLE, OnReadable);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_->handle));  // never what keeps the process alive
  return result(0);
}
