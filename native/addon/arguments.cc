// SPDX-License-Identifier: Apache-2.0
#include "arguments.h"

#include <cmath>

bool Arguments::Expect(bool is_so, size_t i, const char* what) {
  if (is_so || wrong_) return is_so && !wrong_;
  wrong_ = true;
  Napi::TypeError::New(info_.Env(), "argument " + std::to_string(i + 1) + " is not " + what).ThrowAsJavaScriptException();
  return false;
}

double Arguments::Whole(size_t i, double least, double most, const char* what) {
  if (!Expect(info_[i].IsNumber(), i, what)) return 0;
  double value = info_[i].As<Napi::Number>().DoubleValue();
  return Expect(value >= least && value <= most && std::trunc(value) == value, i, what) ? value : 0;
}

int32_t Arguments::Descriptor(size_t i) { return static_cast<int32_t>(Whole(i, -1, INT32_MAX, "a descriptor")); }

uint32_t Arguments::Number(size_t i, uint32_t most) {
  return static_cast<uint32_t>(Whole(i, 0, most, most == UINT32_MAX ? "a 32-bit number" : "a number in range"));
}

std::string Arguments::Text(size_t i) {
  if (!Expect(info_[i].IsString(), i, "a string")) return {};
  std::string text = info_[i].As<Napi::String>().Utf8Value();
  return Expect(text.find('\0') == std::string::npos, i, "a string without NUL") ? text : std::string();
}

uint64_t Arguments::Mask(size_t i) {
  if (!Expect(info_[i].IsBigInt(), i, "a bigint")) return 0;
  bool lossless = false;
  uint64_t mask = info_[i].As<Napi::BigInt>().Uint64Value(&lossless);
  return Expect(lossless, i, "a bigint of 64 bits") ? mask : 0;
}

bool Arguments::Flag(size_t i) {
  return Expect(info_[i].IsBoolean(), i, "a boolean") && info_[i].As<Napi::Boolean>().Value();
}

Napi::Function Arguments::Callback(size_t i) {
  return Expect(info_[i].IsFunction(), i, "a function") ? info_[i].As<Napi::Function>() : Napi::Function();
}

Napi::Buffer<char> Arguments::Bytes(size_t i) {
  return Expect(info_[i].IsBuffer(), i, "a Buffer") ? info_[i].As<Napi::Buffer<char>>() : Napi::Buffer<char>();
}

static bool IsArrayOf(const Napi::Value& value, napi_typedarray_type type) {
  return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == type;
}

Napi::Uint32Array Arguments::Words(size_t i) {
  bool is_so = IsArrayOf(info_[i], napi_uint32_array);
  return Expect(is_so, i, "a Uint32Array") ? info_[i].As<Napi::Uint32Array>() : Napi::Uint32Array();
}

Napi::BigUint64Array Arguments::LongWords(size_t i) {
  bool is_so = IsArrayOf(info_[i], napi_biguint64_array);
  return Expect(is_so, i, "a BigUint64Array") ? info_[i].As<Napi::BigUint64Array>() : Napi::BigUint64Array();
}
