// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

// priorityAt, setPriorityAt, canRaisePriority: each returns data or -errno, and makes no decisions.
void ExportPriority(Napi::Env env, Napi::Object exports);
