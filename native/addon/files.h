// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

// openat, readAt, writeAt, close, lock: each returns data or -errno, and decides nothing.
void ExportFiles(Napi::Env env, Napi::Object exports);
