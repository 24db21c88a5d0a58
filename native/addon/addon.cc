// SPDX-License-Identifier: Apache-2.0
// The addon's exports: plain system calls on open descriptors, BPF objects, the tracer with its canary and its
// calibration load, and the layout of the data that they return.
#include "bpf_object.h"
#include "canary.h"
#include "calibration_load.h"
#include "files.h"
#include "guard.h"
#include "layout.h"
#include "priority.h"
#include "privileges.h"
#include "processes.h"
#include "sched.h"
#include "sockets.h"
#include "wakeup_tracer.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  ExportFiles(env, exports);
  ExportPriority(env, exports);
  ExportPrivileges(env, exports);
  ExportProcesses(env, exports);
  ExportSched(env, exports);
  ExportSockets(env, exports);
  exports.Set("layout", Layout(env));
  exports.Set("BpfObject", BpfObject::Define(env));
  exports.Set("WakeupTracer", WakeupTracer::Define(env));
  exports.Set("Canary", Canary::Define(env));
  exports.Set("CalibrationLoad", CalibrationLoad::Define(env));
  exports.Set("Guard", Guard::Define(env));
  return exports;
}

NODE_API_MODULE(taut, Init)
