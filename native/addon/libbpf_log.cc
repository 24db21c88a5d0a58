// SPDX-License-Identifier: Apache-2.0
#include "libbpf_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>

// libbpf has one print function for the whole process, without a context argument. It prints on the thread that called
// libbpf: so the sink is thread-local, and set only during a call.
static thread_local std::string* sink = nullptr;

static int Print(enum libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG || !sink || sink->size() > (1 << 20)) return 0;
  char line[16384];
  int length = vsnprintf(line, sizeof(line), format, arguments);
  if (length > 0) sink->append(line, std::min(static_cast<size_t>(length), sizeof(line) - 1));
  return length;
}

LibbpfLog::LibbpfLog(std::string* to) : before_(sink) {
  sink = to;
  libbpf_set_print(Print);
}

LibbpfLog::~LibbpfLog() { sink = before_; }
