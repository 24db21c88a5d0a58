// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

// sliceAt, setSliceAt, defaultSlice: each returns data or -errno, and makes no decisions.
void ExportSched(Napi::Env env, Napi::Object exports);
