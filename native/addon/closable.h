// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

// The base of the addon's classes: an object that owns resources. It frees them when its owner calls close(), when it
// is garbage-collected, or when the environment ends, whichever is first. `T` has a Close() that may be called more
// than once, and calls it in its destructor.
template <typename T>
class Closable : public Napi::ObjectWrap<T> {
 public:
  explicit Closable(const Napi::CallbackInfo& info) : Napi::ObjectWrap<T>(info) {
    napi_add_env_cleanup_hook(info.Env(), OnCleanup, static_cast<T*>(this));
  }
  ~Closable() override { napi_remove_env_cleanup_hook(this->Env(), OnCleanup, static_cast<T*>(this)); }

 protected:
  Napi::Value CloseCall(const Napi::CallbackInfo& info) {
    static_cast<T*>(this)->Close();
    return info.Env().Undefined();
  }

 private:
  static void OnCleanup(void* self) { static_cast<T*>(self)->Close(); }
};
