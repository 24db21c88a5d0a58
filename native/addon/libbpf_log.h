// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

// While it exists, libbpf's messages on this thread go to `sink` (at most 1 MiB) and not to standard error.
class LibbpfLog {
 public:
  explicit LibbpfLog(std::string* sink);
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

 private:
  std::string* before_;
};
