// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

// The numbers and names of native/include that TypeScript decodes by, so that none is typed twice.
Napi::Object Layout(Napi::Env env);
