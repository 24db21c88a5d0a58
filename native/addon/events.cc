// SPDX-License-Identifier: Apache-2.0
// The ring buffer on Node's own loop: what the kernel tells becomes one call with an array of events.
#include <cerrno>

#include "tracer.h"

int Tracer::OnEvent(void* self, void* data, size_t size) {
  if (size >= sizeof(taut_event)) static_cast<Tracer*>(self)->pending_.push_back(*static_cast<taut_event*>(data));
  return 0;
}

void Tracer::OnReadable(uv_poll_t* poll, int, int) {
  if (poll->data) static_cast<Tracer*>(poll->data)->Drain();
}

static const char* KindName(uint32_t kind) {
  switch (kind) {
    case TAUT_EXEC: return "exec";
    case TAUT_NEW_THREAD: return "newThread";
    case TAUT_NEW_CHILD: return "newChild";
    case TAUT_THREAD_EXIT: return "threadExit";
    case TAUT_PROCESS_EXIT: return "processExit";
    default: return "unknown";
  }
}

void Tracer::Drain() {
  Napi::HandleScope scope(Env());
  ring_buffer__consume(ring_);
  if (pending_.empty()) return;
  auto events = Napi::Array::New(Env(), pending_.size());
  for (uint32_t i = 0; i < pending_.size(); i++) {
    const taut_event& event = pending_[i];
    auto entry = Napi::Object::New(Env());
    entry.Set("kind", KindName(event.kind));
    entry.Set("pid", event.pid);
    entry.Set("tid", event.tid);
    entry.Set("ppid", event.ppid);
    entry.Set("startNs", Napi::BigInt::New(Env(), static_cast<uint64_t>(event.start_ns)));
    entry.Set("atNs", Napi::BigInt::New(Env(), static_cast<uint64_t>(event.at_ns)));
    events.Set(i, entry);
  }
  pending_.clear();
  // MakeCallback, as we come from the loop: it runs the microtasks, and an exception becomes an uncaught one.
  callback_.MakeCallback(Env().Global(), {events});
}

Napi::Value Tracer::Listen(const Napi::CallbackInfo& info) {
  auto result = [&](int value) { return Napi::Number::New(info.Env(), value); };
  if (!object_) return result(-EBADF);
  if (poll_) return result(-EBUSY);
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(info.Env(), &loop);
  ring_ = ring_buffer__new(MapFd("events"), OnEvent, this, nullptr);
  if (!ring_) return result(-errno);
  callback_ = Napi::Persistent(info[0].As<Napi::Function>());
  poll_ = new uv_poll_t;
  int failed = uv_poll_init(loop, poll_, ring_buffer__epoll_fd(ring_));
  if (failed) {
    delete poll_;
    poll_ = nullptr;
    return result(failed);
  }
  poll_->data = this;
  uv_poll_start(poll_, UV_READABLE, OnReadable);
  uv_unref(reinterpret_cast<uv_handle_t*>(poll_));  // never what keeps the process alive
  return result(0);
}
