// SPDX-License-Identifier: Apache-2.0
#include "processes.h"

#include "arguments.h"

#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace {

// adoptOrphans(on) -> 0. Descendants whose parents end become children of this process, and not of init.
Napi::Value AdoptOrphans(const Napi::CallbackInfo& info) {
  Arguments args(info);
  bool on = args.Flag(0);
  if (args.Wrong()) return {};
  int failed = prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : 0, 0, 0, 0);
  return Napi::Number::New(info.Env(), failed < 0 ? -errno : 0);
}

// reap(pid) -> the child's id if it had ended; it is gone now. 0 if it is running. Not for a child that Node waits for.
Napi::Value Reap(const Napi::CallbackInfo& info) {
  Arguments args(info);
  auto pid = static_cast<pid_t>(args.Number(0, INT32_MAX));
  if (args.Wrong()) return {};
  if (pid == 0) return Napi::Number::New(info.Env(), -EINVAL);  // for waitpid(2), 0 is any child of the group
  pid_t reaped = waitpid(pid, nullptr, WNOHANG);
  return Napi::Number::New(info.Env(), reaped < 0 ? -errno : reaped);
}

// unblock(signal) -> 0. In this thread: node --disable-sigusr1 blocks SIGUSR1, even if the program handles it.
Napi::Value Unblock(const Napi::CallbackInfo& info) {
  Arguments args(info);
  auto signal = static_cast<int>(args.Number(0, 64));
  if (args.Wrong()) return {};
  sigset_t set;
  sigemptyset(&set);
  if (sigaddset(&set, signal) < 0) return Napi::Number::New(info.Env(), -errno);
  return Napi::Number::New(info.Env(), -pthread_sigmask(SIG_UNBLOCK, &set, nullptr));
}

}  // namespace

void ExportProcesses(Napi::Env env, Napi::Object exports) {
  exports.Set("adoptOrphans", Napi::Function::New(env, AdoptOrphans));
  exports.Set("reap", Napi::Function::New(env, Reap));
  exports.Set("unblock", Napi::Function::New(env, Unblock));
}
