// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bpf/libbpf.h>
#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// Reads ring buffers of the kernel on Node's event loop. Calls back with a Buffer and the number of bytes that are
// filled with records; each record follows its length (32 bits, native byte order). Every call gets the same Buffer,
// because creating one costs more than the rest of the call. It never keeps the process alive.
//
// Takes at most so many records of each ring buffer at once, in the order in which they were added, and hands over all
// that it took in the order of their times; again for some milliseconds, while there are more. So one ring buffer that is always full neither keeps the
// others nor the rest of the program waiting. What caused a record of an earlier ring buffer must be in a later one: it
// was there first, so it is taken at the same time or before.
class RingBuffer {
 public:
  RingBuffer();
  RingBuffer(const RingBuffer&) = delete;
  RingBuffer& operator=(const RingBuffer&) = delete;
  ~RingBuffer();

  int Add(int map, uint32_t most);                          // 0 or -errno
  int Open(uint32_t time_at, Napi::Function callback);      // the offset of the time (64 bits) in each record; 0 or -errno
  void Close();

 private:
  struct Poll;
  struct Ring;
  struct Record {
    uint64_t time;
    size_t begin;  // of its length, in records_
    size_t end;
  };

  void Drain();
  bool Pass();
  void Take(const char* data, size_t size);
  std::string Taken();
  void Tell(size_t length);

  static int OnRecord(void* ring, void* data, size_t size);
  static void OnReadable(uv_poll_t* poll, int status, int events);
  static void OnEnvironmentEnds(napi_async_cleanup_hook_handle hook, void* poll);
  static void StopPolling(Poll* poll);

  std::vector<std::unique_ptr<Ring>> rings_;
  int epoll_ = -1;  // of all ring buffers
  uint32_t time_at_ = 0;
  Poll* poll_ = nullptr;
  Napi::FunctionReference callback_;
  Napi::Reference<Napi::Buffer<char>> buffer_;
  char* bytes_ = nullptr;  // of buffer_; V8 does not move them
  std::string records_;  // of this turn, in the order in which they were taken
  std::vector<Record> order_;
};
