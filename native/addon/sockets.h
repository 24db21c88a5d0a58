// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

void ExportSockets(Napi::Env env, Napi::Object exports);
