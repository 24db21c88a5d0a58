// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

#include <cstdint>
#include <string>

// The arguments of a call, each checked when it is read. The first wrong one throws a TypeError that names it and what
// was expected. Callers must check Wrong() before they act: node-addon-api turns a wrong argument into 0, which is a
// valid descriptor.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  int32_t Descriptor(size_t i);  // or -1 for none
  uint32_t Number(size_t i, uint32_t most = UINT32_MAX);
  std::string Text(size_t i);  // without NUL, which would end it in C
  uint64_t Mask(size_t i);
  bool Flag(size_t i);
  Napi::Function Callback(size_t i);
  Napi::Buffer<char> Bytes(size_t i);
  Napi::Uint32Array Words(size_t i);
  Napi::BigUint64Array LongWords(size_t i);

  bool Wrong() const { return wrong_; }

 private:
  double Whole(size_t i, double least, double most, const char* what);
  bool Expect(bool is_so, size_t i, const char* what);

  const Napi::CallbackInfo& info_;
  bool wrong_ = false;
};

// The result of most calls: 0 or more, or -errno.
inline Napi::Value Result(const Napi::CallbackInfo& info, int value) { return Napi::Number::New(info.Env(), value); }
