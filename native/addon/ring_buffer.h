// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bpf/libbpf.h>
#include <napi.h>
#include <uv.h>

#include <string>

// Reads a ring buffer of the kernel on Node's event loop. Calls back with a Buffer and the number of bytes that are
// filled with records; each record follows its length (32 bits, native byte order). Every call gets the same Buffer,
// because creating one costs more than the rest of the call. It never keeps the process alive.
class RingBuffer {
 public:
  RingBuffer() = default;
  RingBuffer(const RingBuffer&) = delete;
  RingBuffer& operator=(const RingBuffer&) = delete;
  ~RingBuffer() { Close(); }

  int Open(int map, Napi::Function callback);  // 0 or -errno
  void Close();

 private:
  struct Poll;

  void Drain();
  void Tell(size_t length);

  static int OnRecord(void* self, void* data, size_t size);
  static void OnReadable(uv_poll_t* poll, int status, int events);
  static void OnEnvironmentEnds(napi_async_cleanup_hook_handle hook, void* poll);
  static void StopPolling(Poll* poll);

  ring_buffer* ring_ = nullptr;
  Poll* poll_ = nullptr;
  Napi::FunctionReference callback_;
  Napi::Reference<Napi::Buffer<char>> buffer_;
  std::string records_;
};
