// SPDX-License-Identifier: Apache-2.0
#include "files.h"

#include "arguments.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr uint32_t kMostRead = 16 << 20;  // far above any entry of /proc

Napi::Value Errno(Napi::Env env) { return Napi::Number::New(env, -errno); }

// openDirectory(at, path) -> descriptor. `at` is an open directory, or -1 for an absolute path.
Napi::Value OpenDirectory(const Napi::CallbackInfo& info) {
  Arguments args(info);
  int at = args.Descriptor(0);
  std::string path = args.Text(1);
  if (args.Wrong()) return {};
  int fd = openat(at < 0 ? AT_FDCWD : at, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? Errno(info.Env()) : Napi::Number::New(info.Env(), fd);
}

// Reads at most `limit` bytes of a file. Returns 0 or -errno. A long entry of /proc may need several reads; an entry
// that fits into a page needs one.
int Read(int at, const std::string& name, size_t limit, std::string& data) {
  int fd = openat(at, name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  int failed = 0;
  char chunk[4096];
  while (!failed && data.size() < limit) {
    ssize_t n = read(fd, chunk, std::min(sizeof(chunk), limit - data.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) failed = -errno;
    if (n > 0) data.append(chunk, static_cast<size_t>(n));
    if (n == 0 || limit <= sizeof(chunk)) break;
  }
  close(fd);
  return failed;
}

template <typename Make>
Napi::Value ReadAs(const Napi::CallbackInfo& info, Make make) {
  Arguments args(info);
  int at = args.Descriptor(0);
  std::string name = args.Text(1);
  size_t limit = args.Number(2, kMostRead);
  if (args.Wrong()) return {};
  std::string data;
  if (int failed = Read(at, name, limit, data)) return Napi::Number::New(info.Env(), failed);
  return make(info.Env(), data);
}

// readAt(at, name, limit) -> Buffer.
Napi::Value ReadAt(const Napi::CallbackInfo& info) {
  return ReadAs(info, [](Napi::Env env, const std::string& data) {
    return Napi::Buffer<char>::Copy(env, data.data(), data.size());
  });
}

// readTextAt(at, name, limit) -> string with one character for each byte: cheaper than converting a buffer.
Napi::Value ReadTextAt(const Napi::CallbackInfo& info) {
  return ReadAs(info, [](Napi::Env env, const std::string& data) {
    napi_value text = nullptr;
    napi_create_string_latin1(env, data.data(), data.size(), &text);
    return Napi::Value(env, text);
  });
}

// listIdsAt(at, name) -> the numeric entries of a directory.
Napi::Value ListIdsAt(const Napi::CallbackInfo& info) {
  Arguments args(info);
  int at = args.Descriptor(0);
  std::string name = args.Text(1);
  if (args.Wrong()) return {};
  int fd = openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Errno(info.Env());
  DIR* directory = fdopendir(fd);
  if (!directory) {
    Napi::Value failed = Errno(info.Env());
    close(fd);
    return failed;
  }
  auto ids = Napi::Array::New(info.Env());
  uint32_t n = 0;
  while (const dirent* entry = readdir(directory))
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
      ids.Set(n++, static_cast<double>(strtoul(entry->d_name, nullptr, 10)));
  closedir(directory);
  return ids;
}

// readLinkAt(at, name) -> the target of a symbolic link.
Napi::Value ReadLinkAt(const Napi::CallbackInfo& info) {
  Arguments args(info);
  int at = args.Descriptor(0);
  std::string name = args.Text(1);
  if (args.Wrong()) return {};
  char target[PATH_MAX];
  ssize_t n = readlinkat(at, name.c_str(), target, sizeof(target));
  return n < 0 ? Errno(info.Env()) : Napi::String::New(info.Env(), target, static_cast<size_t>(n));
}

// writeAt(at, name, text) -> 0. One write(2): timerslack_ns refuses pwrite(2), and needs the whole value at once.
Napi::Value WriteAt(const Napi::CallbackInfo& info) {
  Arguments args(info);
  int at = args.Descriptor(0);
  std::string name = args.Text(1);
  std::string text = args.Text(2);
  if (args.Wrong()) return {};
  int fd = openat(at, name.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return Errno(info.Env());
  ssize_t n;
  do n = write(fd, text.data(), text.size());
  while (n < 0 && errno == EINTR);
  Napi::Value result = n < 0 ? Errno(info.Env()) : Napi::Number::New(info.Env(), 0);
  close(fd);
  return result;
}

Napi::Value Close(const Napi::CallbackInfo& info) {
  Arguments args(info);
  int fd = args.Descriptor(0);
  if (args.Wrong()) return {};
  return close(fd) < 0 ? Errno(info.Env()) : Napi::Number::New(info.Env(), 0);
}

// lock(path, shared) -> descriptor that holds an flock until it is closed or this process ends; -EWOULDBLOCK if
// another process holds the lock.
Napi::Value Lock(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string path = args.Text(0);
  bool shared = args.Flag(1);
  if (args.Wrong()) return {};
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Errno(info.Env());
  if (flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
    Napi::Value failed = Errno(info.Env());
    close(fd);
    return failed;
  }
  return Napi::Number::New(info.Env(), fd);
}

// flock(fd, shared) -> 0, and the lock is held until the file is closed; -EWOULDBLOCK if another process holds it.
Napi::Value Flock(const Napi::CallbackInfo& info) {
  Arguments args(info);
  int fd = args.Descriptor(0);
  bool shared = args.Flag(1);
  if (args.Wrong()) return {};
  if (flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) return Errno(info.Env());
  return Napi::Number::New(info.Env(), 0);
}

// isHungUp(fd) -> 1 if the other end of a pipe, a socket or a terminal is closed, else 0. Writes nothing.
Napi::Value IsHungUp(const Napi::CallbackInfo& info) {
  Arguments args(info);
  pollfd end = {args.Descriptor(0), 0, 0};
  if (args.Wrong()) return {};
  if (poll(&end, 1, 0) < 0) return Errno(info.Env());
  return Napi::Number::New(info.Env(), (end.revents & (POLLERR | POLLHUP)) != 0 ? 1 : 0);
}

// writeNow(fd, bytes) -> how many bytes a pipe or a socket accepted at once; -EAGAIN if none. Unlike Node's streams, it
// does not set O_NONBLOCK, which would affect every process that shares the open file.
Napi::Value WriteNow(const Napi::CallbackInfo& info) {
  Arguments args(info);
  pollfd end = {args.Descriptor(0), POLLOUT, 0};
  auto bytes = args.Bytes(1);
  if (args.Wrong()) return {};
  ssize_t n = send(end.fd, bytes.Data(), bytes.Length(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && errno == ENOTSOCK) {
    // When poll(2) reports room, a pipe accepts this many bytes without waiting (pipe(7)).
    int ready = poll(&end, 1, 0);
    if (ready == 0) errno = EAGAIN;
    n = ready > 0 ? write(end.fd, bytes.Data(), std::min<size_t>(bytes.Length(), PIPE_BUF)) : -1;
  }
  return n < 0 ? Errno(info.Env()) : Napi::Number::New(info.Env(), n);
}

}  // namespace

void ExportFiles(Napi::Env env, Napi::Object exports) {
  exports.Set("openDirectory", Napi::Function::New(env, OpenDirectory));
  exports.Set("readAt", Napi::Function::New(env, ReadAt));
  exports.Set("readTextAt", Napi::Function::New(env, ReadTextAt));
  exports.Set("listIdsAt", Napi::Function::New(env, ListIdsAt));
  exports.Set("readLinkAt", Napi::Function::New(env, ReadLinkAt));
  exports.Set("writeAt", Napi::Function::New(env, WriteAt));
  exports.Set("close", Napi::Function::New(env, Close));
  exports.Set("lock", Napi::Function::New(env, Lock));
  exports.Set("flock", Napi::Function::New(env, Flock));
  exports.Set("isHungUp", Napi::Function::New(env, IsHungUp));
  exports.Set("writeNow", Napi::Function::New(env, WriteNow));
}
