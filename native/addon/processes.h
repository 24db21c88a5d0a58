// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

// adoptOrphans, reap, unblock: each returns data or -errno, and makes no decisions.
void ExportProcesses(Napi::Env env, Napi::Object exports);
