// SPDX-License-Identifier: Apache-2.0
#include "ring_buffer.h"

#include "sched_attr.h"

#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
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

struct RingBuffer::Ring {
  RingBuffer* owner;
  ring_buffer* from;
  uint32_t most;  // records in a turn
  uint32_t left;  // of these, in this turn
  ~Ring() { ring_buffer__free(from); }
};

RingBuffer::RingBuffer() = default;
RingBuffer::~RingBuffer() { Close(); }

// What ends a turn after a record; libbpf counts the record as consumed.
static constexpr int kEnough = -ECANCELED;

int RingBuffer::OnRecord(void* of, void* data, size_t size) {
  auto* ring = static_cast<Ring*>(of);
  ring->owner->Take(static_cast<const char*>(data), size);
  return --ring->left == 0 ? kEnough : 0;
}

void RingBuffer::Take(const char* data, size_t size) {
  auto length = static_cast<uint32_t>(size);
  Record record = {.time = 0, .begin = records_.size(), .end = records_.size() + sizeof(length) + size};
  if (time_at_ + sizeof(record.time) <= size) memcpy(&record.time, data + time_at_, sizeof(record.time));
  records_.append(reinterpret_cast<const char*>(&length), sizeof(length)).append(data, size);
  order_.push_back(record);
}

// The records of this turn, in the order of their times.
std::string RingBuffer::Taken() {
  auto earlier = [](const Record& a, const Record& b) { return a.time < b.time; };
  auto order = std::exchange(order_, {});
  std::string records = std::exchange(records_, {});
  if (rings_.size() == 1 || std::is_sorted(order.begin(), order.end(), earlier)) return records;
  std::stable_sort(order.begin(), order.end(), earlier);
  std::string sorted;
  sorted.reserve(records.size());
  for (const auto& [time, begin, end] : order) sorted.append(records, begin, end - begin);
  return sorted;
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

// False in an environment that is ending: it runs its loop once more to close handles, but must call no JavaScript. Node
// tells by refusing whatever could call it, of which comparing a value with itself costs least.
static bool MayCall(Napi::Env env, napi_value value) {
  bool is_equal = false;
  return napi_strict_equals(env, value, value, &is_equal) == napi_ok;
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

// On a busy machine this thread may wait long for its next turn: so a turn goes on for a while as long as there is more.
static constexpr uint64_t kTurnNs = 5'000'000;

void RingBuffer::Drain() {
  uint64_t until = uv_hrtime() + kTurnNs;
  while (poll_ && Pass() && uv_hrtime() < until) {
  }
}

// Takes at most so many records of each ring buffer, and hands them over. @returns whether there may be more.
bool RingBuffer::Pass() {
  Napi::Env env = callback_.Env();
  Napi::HandleScope scope(env);
  bool more = false;
  for (const auto& ring : rings_) {
    ring->left = ring->most;
    ring_buffer__consume(ring->from);
    more |= ring->left == 0;
  }
  std::string records = Taken();
  if (!MayCall(env, callback_.Value())) return false;
  // The callback may close this ring buffer: then the rest is dropped.
  for (size_t at = 0; at < records.size() && poll_;) {
    size_t length = Whole(records, at, kBufferBytes);
    if (length == 0) return false;
    memcpy(bytes_, records.data() + at, length);
    at += length;
    Tell(length);
  }
  return more;
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

int RingBuffer::Add(int map, uint32_t most) {
  if (poll_) return -EBUSY;
  if (most == 0) return -EINVAL;
  if (epoll_ < 0) epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return -errno;
  auto ring = std::make_unique<Ring>(this, nullptr, most, most);
  ring->from = ring_buffer__new(map, OnRecord, ring.get(), nullptr);
  if (!ring->from) return -errno;
  epoll_event readable = {.events = EPOLLIN, .data = {}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, ring_buffer__epoll_fd(ring->from), &readable) < 0) return -errno;
  rings_.push_back(std::move(ring));
  return 0;
}

int RingBuffer::Open(uint32_t time_at, Napi::Function callback) {
  if (poll_) return -EBUSY;
  if (rings_.empty()) return -ENOENT;
  time_at_ = time_at;
  Napi::Env env = callback.Env();
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  callback_ = Napi::Persistent(callback);
  auto buffer = Napi::Buffer<char>::New(env, kBufferBytes);
  bytes_ = buffer.Data();
  buffer_ = Napi::Persistent(buffer);
  poll_ = new Poll{};
  int failed = uv_poll_init(loop, &poll_->handle, epoll_);
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
  rings_.clear();
  if (epoll_ >= 0) close(epoll_);
  epoll_ = -1;
}
