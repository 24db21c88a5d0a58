// SPDX-License-Identifier: Apache-2.0
// taut-hold DESCRIPTOR MILLISECONDS PROGRAM [ARGUMENT…]: executes the program as soon as the other end of the
// descriptor is closed, at the latest after MILLISECONDS: so a command is not held for longer when taut hangs. A number of
// nanoseconds that comes instead is the timer slack that the program is to begin with: a process may always set its own. The
// answer is the slack that it has then.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

// The exit codes of a shell, and one for wrong usage.
enum { NOT_FOUND = 127, NOT_RUNNABLE = 126, WRONG_USAGE = 125 };

// Ignores the signals that were ignored when taut's launcher started (nohup, a background job of a script): Node resets
// them. The mask is SigIgn of /proc/PID/status.
static void ignore_again(void) {
  const char* mask = getenv("TAUT_IGNORED_SIGNALS");
  unsigned long long bits = mask ? strtoull(mask, NULL, 16) : 0;
  for (int number = 1; number <= 64; number++)
    if (bits >> (number - 1) & 1) signal(number, SIG_IGN);
  unsetenv("TAUT_IGNORED_SIGNALS");
  unsetenv("TAUT_NOHUP");
}

// Makes a descriptor blocking again, as a command expects it. Where this process was taut, Node left it non-blocking.
static void wait_again(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags >= 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

// Gives the command the soft limit of open files that taut's launcher had: Node raises its own to the hard one.
static void limit_again(void) {
  const char* soft = getenv("TAUT_OPEN_FILES");
  struct rlimit limit;
  if (soft && *soft >= '0' && *soft <= '9' && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    rlim_t before = strtoull(soft, NULL, 10);
    limit.rlim_cur = before < limit.rlim_max ? before : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  unsetenv("TAUT_OPEN_FILES");
}

// Sets the slack that was asked for, unless it is less already.
static void set_slack(int fd) {
  char text[24];
  ssize_t length = read(fd, text, sizeof text - 1);
  if (length <= 0) return;
  text[length] = 0;
  unsigned long ns = strtoul(text, NULL, 10);
  if (ns == 0) return;
  if ((unsigned long)prctl(PR_GET_TIMERSLACK) > ns) prctl(PR_SET_TIMERSLACK, ns);
  dprintf(fd, "%d\n", prctl(PR_GET_TIMERSLACK));
}

// Says why the program did not start. Its name may be a stranger's file, so what is no printable ASCII is escaped.
static void complain(const char* program, const char* why) {
  fputs("taut: ", stderr);
  for (const unsigned char* c = (const unsigned char*)program; *c; c++)
    fprintf(stderr, *c >= ' ' && *c < 0x7f ? "%c" : "\\x%02x", *c);
  fprintf(stderr, ": %s\n", why);
}

int main(int argc, char** argv) {
  if (argc < 4) return WRONG_USAGE;
  struct pollfd other = {.fd = atoi(argv[1]), .events = POLLIN};
  if (poll(&other, 1, atoi(argv[2])) > 0) set_slack(other.fd);
  close(other.fd);
  ignore_again();
  limit_again();
  for (int fd = 0; fd <= 2; fd++) wait_again(fd);
  execvp(argv[3], argv + 3);
  int missing = errno == ENOENT || errno == ENOTDIR;
  complain(argv[3], missing ? "not found" : strerror(errno));
  return missing ? NOT_FOUND : NOT_RUNNABLE;
}
