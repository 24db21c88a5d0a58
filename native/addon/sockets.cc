// SPDX-License-Identifier: Apache-2.0
#include "sockets.h"

#include "arguments.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace {

// A sock_diag socket of another network namespace. Only this thread goes there, and comes back before anything else
// runs on it; the socket stays what it is. -errno when that is not allowed.
int DiagSocket(const char* ns_path) {
  int target = open(ns_path, O_RDONLY | O_CLOEXEC);
  if (target < 0) return -errno;
  int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  int result = home < 0 || setns(target, CLONE_NEWNET) < 0 ? -errno : 0;
  if (result == 0) {
    result = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (result < 0) result = -errno;
    // Not being able to come home would leave Node's main thread in a stranger's network: there is no going on.
    if (setns(home, CLONE_NEWNET) < 0) abort();
  }
  if (home >= 0) close(home);
  close(target);
  return result;
}

int Ask(int fd, int family) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } message = {};
  message.header.nlmsg_len = sizeof(message);
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = static_cast<uint8_t>(family);
  message.request.sdiag_protocol = IPPROTO_TCP;
  message.request.idiag_states = (1 << TCP_ESTABLISHED) | (1 << TCP_SYN_SENT);
  return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

// Reads one dump to its end, adding [inode, port, address] for each connection.
int Collect(int fd, Napi::Env env, Napi::Array into) {
  alignas(nlmsghdr) char buffer[32768];
  for (;;) {
    ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return -errno;
    auto left = static_cast<unsigned>(size);
    for (auto* m = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
      if (m->nlmsg_type == NLMSG_DONE) return 0;
      if (m->nlmsg_type == NLMSG_ERROR) return static_cast<nlmsgerr*>(NLMSG_DATA(m))->error;
      if (m->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) return -EBADMSG;
      auto* found = static_cast<inet_diag_msg*>(NLMSG_DATA(m));
      char text[INET6_ADDRSTRLEN];
      if (!inet_ntop(found->idiag_family, found->id.idiag_dst, text, sizeof(text))) continue;
      auto entry = Napi::Object::New(env);
      entry.Set("inode", found->idiag_inode);
      entry.Set("port", ntohs(found->id.idiag_dport));
      entry.Set("address", text);
      into.Set(into.Length(), entry);
    }
  }
}

// connections(network namespace file) -> [{inode, port, address}] of its TCP connections, or -errno.
Napi::Value Connections(const Napi::CallbackInfo& info) {
  Arguments args(info);
  std::string path = args.Text(0);
  if (args.Wrong()) return {};
  auto found = Napi::Array::New(info.Env());
  int fd = DiagSocket(path.c_str());
  int result = fd < 0 ? fd : 0;
  for (int family : {AF_INET, AF_INET6}) {
    if (result == 0) result = Ask(fd, family);
    if (result == 0) result = Collect(fd, info.Env(), found);
  }
  if (fd >= 0) close(fd);
  return result < 0 ? Napi::Value(Napi::Number::New(info.Env(), result)) : Napi::Value(found);
}

}  // namespace

void ExportSockets(Napi::Env env, Napi::Object exports) {
  exports.Set("connections", Napi::Function::New(env, Connections));
}
