// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <napi.h>

void ExportGuard(Napi::Env env, Napi::Object exports);
