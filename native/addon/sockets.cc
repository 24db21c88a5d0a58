// SPDX-License-Identifier: Apache-2.0
#include "sockets.h"

#include "arguments.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

int DiagSocketHere() {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  return fd < 0 ? -errno : fd;
}

// Opens a sock_diag socket in a network namespace. For a foreign namespace, this thread enters it and returns before it
// runs anything else; the socket stays in that namespace. -errno if that is not allowed (our own needs no privilege).
int DiagSocket(const char* ns_path) {
  int target = open(ns_path, O_RDONLY | O_CLOEXEC);
  if (target < 0) return -errno;
  int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  struct stat there, here;
  bool known = home >= 0 && fstat(target, &there) == 0 && fstat(home, &here) == 0;
  int result = known ? 0 : -errno;
  if (known && there.st_ino == here.st_ino && there.st_dev == here.st_dev) {
    result = DiagSocketHere();
  } else if (known && setns(target, CLONE_NEWNET) < 0) {
    result = -errno;
  } else if (known) {
    result = DiagSocketHere();
    // If this thread can't return, Node's main thread would stay in a foreign network namespace: so abort.
    if (setns(home, CLONE_NEWNET) < 0) abort();
  }
  if (home >= 0) close(home);
  close(target);
  return result;
}

// A question to sock_diag: sockets of a protocol, in these states (bits), with this local port (0: any).
struct Question {
  uint8_t protocol;
  uint32_t states;
  uint16_t local_port;
};

int Ask(int fd, int family, const Question& question) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } message = {};
  message.header.nlmsg_len = sizeof(message);
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = static_cast<uint8_t>(family);
  message.request.sdiag_protocol = question.protocol;
  message.request.idiag_states = question.states;
  message.request.id.idiag_sport = htons(question.local_port);
  return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

enum Outcome { kMore = 1, kDone = 0 };

// Calls `each` with each socket of one netlink datagram. The datagram may hold any bytes: nothing beyond `size` is
// read, and no alignment is assumed. Returns kMore when the dump goes on, kDone at its end, or -errno.
template <typename Each>
int ParseDump(const char* data, size_t size, Each each) {
  for (size_t at = 0; at + sizeof(nlmsghdr) <= size;) {
    nlmsghdr header;
    memcpy(&header, data + at, sizeof(header));
    if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > size - at) return -EBADMSG;
    const char* body = data + at + NLMSG_HDRLEN;
    size_t length = header.nlmsg_len < NLMSG_HDRLEN ? 0 : header.nlmsg_len - NLMSG_HDRLEN;
    if (header.nlmsg_type == NLMSG_DONE) return kDone;
    if (header.nlmsg_type == NLMSG_ERROR) {
      int error = 0;
      if (length >= sizeof(error)) memcpy(&error, body, sizeof(error));
      return error < 0 && error > -4096 ? error : -EBADMSG;
    }
    inet_diag_msg found;
    if (length < sizeof(found)) return -EBADMSG;
    memcpy(&found, body, sizeof(found));
    each(found);
    at += NLMSG_ALIGN(static_cast<size_t>(header.nlmsg_len));
  }
  return kMore;
}

using Datagrams = std::vector<std::string>;

// Receives all datagrams of one dump.
int Receive(int fd, Datagrams* into) {
  char buffer[32768];
  for (;;) {
    ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return -errno;
    int outcome = ParseDump(buffer, static_cast<size_t>(size), [](const inet_diag_msg&) {});
    if (outcome < 0) return outcome;
    into->emplace_back(buffer, static_cast<size_t>(size));
    if (outcome == kDone) return 0;
  }
}

int Dump(const std::string& ns_path, const Question& question, Datagrams* into) {
  int fd = DiagSocket(ns_path.c_str());
  int result = fd < 0 ? fd : 0;
  for (int family : {AF_INET, AF_INET6}) {
    if (result == 0) result = Ask(fd, family, question);
    if (result == 0) result = Receive(fd, into);
  }
  if (fd >= 0) close(fd);
  return result;
}

Napi::Value Answer(Napi::Env env, int result, const Datagrams& datagrams) {
  if (result < 0) return Napi::Number::New(env, result);
  auto found = Napi::Array::New(env, datagrams.size());
  for (uint32_t i = 0; i < datagrams.size(); i++)
    found.Set(i, Napi::Buffer<char>::Copy(env, datagrams[i].data(), datagrams[i].size()));
  return found;
}

std::pair<std::string, Question> Asked(Arguments* args) {
  std::string path = args->Text(0);
  return {path, {static_cast<uint8_t>(args->Number(1, UINT8_MAX)), args->Number(2),
                 static_cast<uint16_t>(args->Number(3, UINT16_MAX))}};
}

// dumpSockets(network namespace file, protocol, states, local port) -> [datagram] for parseSockets, or -errno.
Napi::Value DumpSockets(const Napi::CallbackInfo& info) {
  Arguments args(info);
  auto [path, question] = Asked(&args);
  if (args.Wrong()) return {};
  Datagrams datagrams;
  int result = Dump(path, question, &datagrams);
  return Answer(info.Env(), result, datagrams);
}

// Does the same on a thread of the pool, because the kernel takes a microsecond for each socket of the namespace.
class DumpWorker : public Napi::AsyncWorker {
 public:
  DumpWorker(Napi::Env env, std::string path, const Question& question)
      : AsyncWorker(env), promise(Napi::Promise::Deferred::New(env)), path_(std::move(path)), question_(question) {}
  void Execute() override { result_ = Dump(path_, question_, &datagrams_); }
  void OnOK() override { promise.Resolve(Answer(Env(), result_, datagrams_)); }

  Napi::Promise::Deferred promise;

 private:
  std::string path_;
  Question question_;
  Datagrams datagrams_;
  int result_ = 0;
};

// listSockets(arguments as dumpSockets) -> a promise of the result of dumpSockets.
Napi::Value ListSockets(const Napi::CallbackInfo& info) {
  Arguments args(info);
  auto [path, question] = Asked(&args);
  if (args.Wrong()) return {};
  auto* worker = new DumpWorker(info.Env(), std::move(path), question);
  auto promise = worker->promise.Promise();
  worker->Queue();  // deletes itself
  return promise;
}

// Searches the descriptors of a process for sockets, on a thread of the pool: a process may have a million.
class SearchWorker : public Napi::AsyncWorker {
 public:
  SearchWorker(Napi::Env env, std::string path, std::vector<uint32_t> inodes, uint32_t most)
      : AsyncWorker(env),
        promise(Napi::Promise::Deferred::New(env)),
        path_(std::move(path)),
        inodes_(std::move(inodes)),
        most_(most) {}

  void Execute() override {
    std::sort(inodes_.begin(), inodes_.end());
    DIR* directory = opendir(path_.c_str());
    result_ = directory ? 0 : -errno;
    if (!directory) return;
    for (uint32_t seen = 0; result_ == 0 && seen < most_;) {
      const dirent* entry = readdir(directory);
      if (!entry) break;
      if (entry->d_name[0] == '.') continue;
      seen++;
      if (IsOne(dirfd(directory), entry->d_name)) result_ = 1;
    }
    closedir(directory);
  }
  void OnOK() override { promise.Resolve(Napi::Number::New(Env(), result_)); }

  Napi::Promise::Deferred promise;

 private:
  bool IsOne(int directory, const char* name) const {
    char target[32];  // longer ones are no sockets
    ssize_t length = readlinkat(directory, name, target, sizeof(target) - 1);
    if (length < 0) return false;
    target[length] = '\0';
    unsigned int inode = 0;
    return sscanf(target, "socket:[%u]", &inode) == 1 && std::binary_search(inodes_.begin(), inodes_.end(), inode);
  }

  std::string path_;
  std::vector<uint32_t> inodes_;
  uint32_t most_;
  int result_ = 0;
};

// holdsSocket(directory of descriptors, inodes, most) -> a promise of 1 if one of the first `most` descriptors is one of
// these sockets, else 0, or of -errno.
Napi::Value HoldsSocket(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string path = args.Text(0);
  Napi::Uint32Array inodes = args.Words(1);
  uint32_t most = args.Number(2);
  if (args.Wrong()) return {};
  std::vector<uint32_t> copy(inodes.Data(), inodes.Data() + inodes.ElementLength());
  auto* worker = new SearchWorker(info.Env(), std::move(path), std::move(copy), most);
  auto promise = worker->promise.Promise();
  worker->Queue();  // deletes itself
  return promise;
}

// parseSockets(datagram) -> [{inode, cookie, localPort, port, address}], or -errno if it is no sock_diag datagram.
Napi::Value ParseSockets(const Napi::CallbackInfo& info) {
  auto env = info.Env();
  Arguments args(info);
  auto datagram = args.Bytes(0);
  if (args.Wrong()) return {};
  auto sockets = Napi::Array::New(env);
  uint32_t n = 0;
  int outcome = ParseDump(datagram.Data(), datagram.Length(), [&](const inet_diag_msg& found) {
    char text[INET6_ADDRSTRLEN];
    if (!inet_ntop(found.idiag_family, found.id.idiag_dst, text, sizeof(text))) return;
    uint64_t cookie = static_cast<uint64_t>(found.id.idiag_cookie[1]) << 32 | found.id.idiag_cookie[0];
    auto entry = Napi::Object::New(env);
    entry.Set("inode", found.idiag_inode);
    entry.Set("cookie", Napi::BigInt::New(env, cookie));
    entry.Set("localPort", ntohs(found.id.idiag_sport));
    entry.Set("port", ntohs(found.id.idiag_dport));
    entry.Set("address", text);
    sockets.Set(n++, entry);
  });
  return outcome < 0 ? Napi::Value(Napi::Number::New(env, outcome)) : Napi::Value(sockets);
}

}  // namespace

void ExportSockets(Napi::Env env, Napi::Object exports) {
  exports.Set("dumpSockets", Napi::Function::New(env, DumpSockets));
  exports.Set("listSockets", Napi::Function::New(env, ListSockets));
  exports.Set("holdsSocket", Napi::Function::New(env, HoldsSocket));
  exports.Set("parseSockets", Napi::Function::New(env, ParseSockets));
}
