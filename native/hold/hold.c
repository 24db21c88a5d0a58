// SPDX-License-Identifier: Apache-2.0
// taut-hold DESCRIPTOR MILLISECONDS PROGRAM [ARGUMENT…]: becomes the program as soon as the other end of the descriptor
// is closed, and after so many milliseconds whatever happens: how long a command is held does not depend on taut.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// As a shell has them.
enum { NOT_FOUND = 127, NOT_RUNNABLE = 126, WRONG_USAGE = 125 };

// What taut's launcher found ignored (nohup, a background job of a script), which Node forgets: SigIgn of /proc/PID/status.
static void ignore_again(void) {
  const char* mask = getenv("TAUT_IGNORED_SIGNALS");
  unsigned long long bits = mask ? strtoull(mask, NULL, 16) : 0;
  for (int number = 1; number <= 64; number++)
    if (bits >> (number - 1) & 1) signal(number, SIG_IGN);
  unsetenv("TAUT_IGNORED_SIGNALS");
  unsetenv("TAUT_NOHUP");
}

// A command does not expect that reading waits for nothing, which Node leaves behind where this process was taut.
static void wait_again(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags >= 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

int main(int argc, char** argv) {
  if (argc < 4) return WRONG_USAGE;
  struct pollfd other = {.fd = atoi(argv[1]), .events = POLLIN};
  poll(&other, 1, atoi(argv[2]));
  close(other.fd);
  ignore_again();
  for (int fd = 0; fd <= 2; fd++) wait_again(fd);
  execvp(argv[3], argv + 3);
  int missing = errno == ENOENT || errno == ENOTDIR;
  fprintf(stderr, "taut: %s: %s\n", argv[3], missing ? "not found" : strerror(errno));
  return missing ? NOT_FOUND : NOT_RUNNABLE;
}
