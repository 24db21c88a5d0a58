// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

// adoptOrphans, reap, unblock: each returns data or -errno, and decides nothing.
void ExportProcesses(Napi::Env env, Napi::Object exports);
