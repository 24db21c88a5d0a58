// SPDX-License-Identifier: Apache-2.0
#include "ring_buffer.h"

#include "sched_attr.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

static constexpr size_t kBufferBytes = 64 * 1024;  // many times the largest record

// The process that starts an agent runs on for its whole slice before taut, woken on the same CPU, can look at the new
// agent. A thread that asks for a shorter slice gets the same share of a CPU, but sooner (EEVDF, Linux 6.12; elsewhere
// it has no effect). Its children don't inherit the slice.
static void AskForShortSlice() {
  constexpr uint64_t kSliceNs = 100'000;  // the shortest that the kernel accepts
  SchedAttr attr;
  if (GetSchedAttr(0, attr) < 0 || attr.policy != SCHED_OTHER) return;
  attr.runtime = kSliceNs;
  attr.flags |= kResetOnFork;
  SetSchedAttr(0, attr);
}

int RingBuffer::OnRecord(void* self, void* data, size_t size) {
  auto length = static_cast<uint32_t>(size);
  auto& records = static_cast<RingBuffer*>(self)->records_;
  records.append(reinterpret_cast<const char*>(&length), sizeof(length)).append(static_cast<const char*>(data), size);
  return 0;
}

// A separate allocation, because libuv needs it until the close callback; a worker's environment waits for that
// callback before it unloads this code.
struct RingBuffer::Poll {
  uv_poll_t handle;  // first, so that one pointer is both
  RingBuffer* ring;  // null from closing on
  napi_async_cleanup_hook_handle hook;
};

void RingBuffer::OnReadable(uv_poll_t* handle, int, int) {
  auto* poll = reinterpret_cast<Poll*>(handle);
  if (poll->ring) poll->ring->Drain();
}

void RingBuffer::StopPolling(Poll* poll) {
  if (!poll->ring) return;
  poll->ring->poll_ = nullptr;
  poll->ring = nullptr;
  uv_poll_stop(&poll->handle);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll->handle), [](uv_handle_t* handle) {
    auto* closed = reinterpret_cast<Poll*>(handle);
    napi_remove_async_cleanup_hook(closed->hook);
    delete closed;
  });
}

void RingBuffer::OnEnvironmentEnds(napi_async_cleanup_hook_handle, void* poll) { StopPolling(static_cast<Poll*>(poll)); }

// False in an environment that is ending: it runs its loop once more to close handles, but must call no JavaScript.
static bool MayCall(Napi::Env env) {
  bool has = false;
  return napi_has_named_property(env, env.Global(), "Array", &has) == napi_ok;
}

// The total length of the whole records, from `at` on, that fit into `room`; 0 when not even one fits.
static size_t Whole(const std::string& records, size_t at, size_t room) {
  size_t end = at;
  while (end < records.size()) {
    uint32_t length;
    memcpy(&length, records.data() + end, sizeof(length));
    if (end + sizeof(length) + length - at > room) break;
    end += sizeof(length) + length;
  }
  return end - at;
}

void RingBuffer::Drain() {
  Napi::Env env = callback_.Env();
  Napi::HandleScope scope(env);
  ring_buffer__consume(ring_);
  std::string records = std::exchange(records_, {});
  if (!MayCall(env)) return;
  // The callback may close this ring buffer: then the rest is dropped.
  for (size_t at = 0; at < records.size() && poll_;) {
    Napi::Buffer<char> buffer = buffer_.Value();
    size_t length = Whole(records, at, buffer.Length());
    if (length == 0) return;
    memcpy(buffer.Data(), records.data() + at, length);
    at += length;
    Tell(length);
  }
}

// Calls the callback with napi_make_callback, which runs the microtasks, as needed for a call from the event loop. An
// exception becomes an uncaught exception.
void RingBuffer::Tell(size_t length) {
  Napi::Env env = callback_.Env();
  napi_value arguments[] = {buffer_.Value(), Napi::Number::New(env, static_cast<double>(length))}, result;
  if (napi_make_callback(env, nullptr, env.Global(), callback_.Value(), 2, arguments, &result) != napi_pending_exception)
    return;
  napi_value error;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

int RingBuffer::Open(int map, Napi::Function callback) {
  if (poll_) return -EBUSY;
  Napi::Env env = callback.Env();
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  ring_buffer__free(ring_);  // left from a failed Open
  ring_ = ring_buffer__new(map, OnRecord, this, nullptr);
  if (!ring_) return -errno;
  callback_ = Napi::Persistent(callback);
  buffer_ = Napi::Persistent(Napi::Buffer<char>::New(env, kBufferBytes));
  poll_ = new Poll{};
  int failed = uv_poll_init(loop, &poll_->handle, ring_buffer__epoll_fd(ring_));
  if (failed) {
    delete poll_;
    poll_ = nullptr;
    return failed;
  }
  poll_->ring = this;
  napi_add_async_cleanup_hook(env, OnEnvironmentEnds, poll_, &poll_->hook);
  AskForShortSlice();
  uv_poll_start(&poll_->handle, UV_READABLE, OnReadable);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_->handle));
  return 0;
}

void RingBuffer::Close() {
  if (poll_) StopPolling(poll_);
  callback_.Reset();
  buffer_.Reset();
  ring_buffer__free(ring_);
  ring_ = nullptr;
}
