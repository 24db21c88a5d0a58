// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

// openDirectory, readAt, writeAt, lock and others: each returns data or -errno, and makes no decisions.
void ExportFiles(Napi::Env env, Napi::Object exports);
