// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

// The numbers and names of native/include that TypeScript needs for decoding, so that none is written twice.
Napi::Object Layout(Napi::Env env);
