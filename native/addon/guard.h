// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

#include "closable.h"

// The other end of a guard (native/guard/guard.c). It ends the guard by a byte; when the environment ends without one
// (a worker that is terminated), the pipe ends, and the guard goes to work.
class Guard : public Closable<Guard> {
 public:
  static Napi::Function Define(Napi::Env env);
  using Closable::Closable;
  ~Guard() override { Close(); }
  void Close();

 private:
  Napi::Value Start(const Napi::CallbackInfo& info);  // (path, pid, command, ...) -> process id or -errno
  Napi::Value IsRunning(const Napi::CallbackInfo& info);
  Napi::Value Release(const Napi::CallbackInfo& info);


  int to_guard_ = -1;
};
