// SPDX-License-Identifier: Apache-2.0
#include "guard.h"

#include "arguments.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

struct Pipe {
  int from = -1, to = -1;
  bool Open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return false;
    from = ends[0];
    to = ends[1];
    return true;
  }
  static void Close(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  ~Pipe() {
    Close(from);
    Close(to);
  }
};

// Starts the guard in its own session, with all signals blocked from its first instruction. Returns 0 or an errno.
int Spawn(std::vector<char*>& argv, const std::string& path, const Pipe& to_guard, const Pipe& from_guard, pid_t& child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t all;
  sigfillset(&all);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_guard.from, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from_guard.to, STDOUT_FILENO);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  int failed = posix_spawn(&child, path.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

}  // namespace

Napi::Function Guard::Define(Napi::Env env) {
  return DefineClass(env, "Guard",
                     {InstanceMethod("start", &Guard::Start), InstanceMethod("isRunning", &Guard::IsRunning),
                      InstanceMethod("release", &Guard::Release), InstanceMethod("close", &Guard::CloseCall)});
}

void Guard::Close() { Pipe::Close(to_guard_); }

// Returns when the guard is ready; -ECHILD if it ended before that.
Napi::Value Guard::Start(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::vector<std::string> texts;
  for (size_t i = 0; i < std::max<size_t>(info.Length(), 3); i++) texts.push_back(args.Text(i));
  if (args.Wrong()) return {};
  auto failed = [&](int error) { return Napi::Number::New(info.Env(), -error); };
  if (to_guard_ >= 0) return failed(EBUSY);
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);

  Pipe to_guard, from_guard;
  if (!to_guard.Open() || !from_guard.Open()) return failed(errno);
  pid_t child = -1;
  if (int error = Spawn(argv, texts[0], to_guard, from_guard, child)) return failed(error);
  Pipe::Close(from_guard.to);
  char said[24] = {};
  ssize_t n;
  do n = read(from_guard.from, said, sizeof(said) - 1);
  while (n < 0 && errno == EINTR);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (n <= 0) return failed(ECHILD);
  std::swap(to_guard_, to_guard.to);
  return Napi::Number::New(info.Env(), static_cast<double>(strtol(said, nullptr, 10)));
}

// Only the guard holds the pipe's other end: poll(2) reports an error when the guard has ended.
Napi::Value Guard::IsRunning(const Napi::CallbackInfo& info) {
  pollfd pipe = {to_guard_, 0, 0};
  return Napi::Boolean::New(info.Env(), to_guard_ >= 0 && poll(&pipe, 1, 0) == 0);
}

Napi::Value Guard::Release(const Napi::CallbackInfo& info) {
  // EPIPE is ignored: the guard has died already, so it will do nothing.
  while (to_guard_ >= 0 && write(to_guard_, "r", 1) < 0 && errno == EINTR) {
  }
  Close();
  return info.Env().Undefined();
}
