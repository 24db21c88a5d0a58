// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

#include "closable.h"

// Controls a guard (native/guard/guard.c) through a pipe. Release() ends the guard with a byte. If the environment ends
// without that (a terminated worker), the pipe closes, and the guard puts everything back.
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
