// SPDX-License-Identifier: Apache-2.0
#include "guard.h"

#include "arguments.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
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

// The guard in a session of its own and deaf to signals before its first instruction: 0, or an errno.
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

// startGuard(path, pid, command, ...) -> [process id, descriptor]: see native/guard/guard.c. Over the descriptor a byte
// ends the guard. Returns when the guard stands; -ECHILD if it ended before.
Napi::Value StartGuard(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::vector<std::string> texts;
  for (size_t i = 0; i < info.Length(); i++) texts.push_back(args.Text(i));
  if (texts.size() < 3) args.Text(texts.size());
  if (args.Wrong()) return {};
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  auto failed = [&](int error) { return Napi::Number::New(info.Env(), -error); };

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
  auto started = Napi::Array::New(info.Env(), 2);
  started.Set(0u, strtol(said, nullptr, 10));
  started.Set(1u, to_guard.to);
  to_guard.to = -1;  // the caller's now
  return started;
}

// isGuarded(descriptor) -> whether the guard at the other end lives: nobody else holds that.
Napi::Value IsGuarded(const Napi::CallbackInfo& info) {
  Arguments args(info);
  pollfd pipe = {args.Descriptor(0), 0, 0};
  if (args.Wrong()) return {};
  return Napi::Boolean::New(info.Env(), poll(&pipe, 1, 0) == 0);
}

}  // namespace

void ExportGuard(Napi::Env env, Napi::Object exports) {
  exports.Set("startGuard", Napi::Function::New(env, StartGuard));
  exports.Set("isGuarded", Napi::Function::New(env, IsGuarded));
}
