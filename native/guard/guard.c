// SPDX-License-Identifier: Apache-2.0
/*
 * taut-guard PID PROGRAM ARGUMENT...
 *
 * Waits until taut, process PID, is gone. If taut has not said before that it has put everything back, the guard runs
 * PROGRAM, which puts it back, and runs it again if it is killed or fails. taut is the parent. Standard input is a pipe
 * from taut: one byte means that everything is put back. On standard output the guard writes its process id when it is
 * ready.
 *
 * What ends taut must not end the guard: the guard has its own session, is no child of taut, and takes no signal but
 * SIGKILL (a service manager sends SIGTERM, but it stops the guard by stopping taut). It is small: it allocates no
 * memory, and until taut is gone it sleeps in poll(2) without a timer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Fixed numbers, so that the guard can close all other descriptors. */
enum { FROM_TAUT = 0, TO_TAUT = 1, ERRORS = 2, PIDFD = 3, FIRST_OTHER };

#define NAME "taut-guard"
#define ATTEMPTS 20
#define LONGEST_PAUSE_MS 1000
/* For PROGRAM: Node crashes with fewer than 24 descriptors on any host. */
#define LEAST_DESCRIPTORS 256

static char kept[16384];
static char *command[32];

/* Writes `number` in decimal to the end of `text`, which has `size` bytes. Returns its first digit. */
static char *decimal(unsigned long number, char *text, size_t size)
{
	char *at = text + size - 1;

	*at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	return at;
}

/* A failed call changes nothing: the score is not important enough to fail for it. */
static void set_oom_score(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, score, strlen(score)) < 0) { /* lowering needs CAP_SYS_RESOURCE */ }
	close(fd);
}

static void read_oom_score(char *score, size_t size)
{
	int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, score, size - 1);

	score[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Writes to the system's log: the guard has no terminal and keeps none of taut's files open. */
static void tell(const char *what)
{
	struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	char text[512] = "<27>" NAME ": "; /* daemon, error */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	strncat(text, what, sizeof(text) - strlen(text) - 1);
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&log, sizeof(log)) < 0) { /* no log daemon */ }
	close(fd);
}

/*
 * Removes the command from the process's arguments: a user who ends every process whose command line names taut's files
 * wants to end taut, and would end its guard too. The new command line says which taut the guard belongs to.
 */
static bool keep_command(int argc, char **argv)
{
	size_t used = 0, size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - argv[0]);
	char taut[24];

	if ((size_t)argc - 2 >= sizeof(command) / sizeof(*command))
		return false;
	for (int i = 2; i < argc; i++) {
		size_t length = strlen(argv[i]) + 1;

		if (length > sizeof(kept) - used)
			return false;
		command[i - 2] = memcpy(kept + used, argv[i], length);
		used += length;
	}
	strncpy(taut, argv[1], sizeof(taut) - 1);
	taut[sizeof(taut) - 1] = '\0';
	memset(argv[0], 0, size);
	strncpy(argv[0], NAME " of ", size - 1);
	strncat(argv[0], taut, size - 1 - strlen(argv[0]));
	return true;
}

static void close_others(void)
{
	if (syscall(SYS_close_range, FIRST_OTHER, ~0U, 0) == 0)
		return;
	for (int fd = FIRST_OTHER; fd < 4096; fd++) /* Linux before 5.9 */
		close(fd);
}

static void to_null(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0) {
		close(fd);
		return;
	}
	dup2(null, fd);
	if (null != fd)
		close(null);
}

/*
 * Returns a pidfd of taut, readable when taut ends; -1 when there is none. `gone`: taut has already ended.
 * A reused process id can't deceive: taut is still the parent after the open, so it was alive during the open.
 */
static int open_taut(pid_t taut, bool *gone)
{
	int fd = (int)syscall(SYS_pidfd_open, taut, 0);

	*gone = getppid() != taut;
	if (*gone && fd >= 0) {
		close(fd);
		fd = -1;
	}
	if (fd < 0 || fd == PIDFD)
		return fd;
	if (dup2(fd, PIDFD) < 0)
		return -1;
	close(fd);
	return PIDFD;
}

/*
 * Waits until taut is gone or has said that all is put back. Returns whether it said so. The pipe is read before the
 * end of taut counts, so that its last byte is not missed.
 */
static bool is_released(int pidfd, bool gone)
{
	struct pollfd watched[] = {{.fd = FROM_TAUT, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};

	for (;;) {
		if (poll(watched, 2, gone ? 0 : -1) < 0)
			continue; /* the kernel has no memory now */
		if (watched[0].revents) {
			char byte;

			if (read(FROM_TAUT, &byte, 1) == 1)
				return true;
			/* End of file: taut has ended, or has executed another program. */
			return false;
		}
		/* taut can be gone without end of file: a child of taut may hold the pipe open. */
		if (gone || watched[1].revents)
			return false;
	}
}

static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= LEAST_DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < LEAST_DESCRIPTORS ? limit.rlim_max : LEAST_DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max >= LEAST_DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max = LEAST_DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit); /* needs CAP_SYS_RESOURCE */
}

/* Runs the command to its end, in its own session, so that signals to its process group do not reach the guard. */
static bool restore(const char *oom_score)
{
	sigset_t none;
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		setsid();
		set_oom_score(oom_score);
		allow_descriptors();
		setpriority(PRIO_PROCESS, 0, -20); /* it needs at most half a second of CPU, and the host may be busy */
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execv(command[0], command);
		_exit(127);
	}
	if (child < 0)
		return false;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	sigset_t all;
	bool gone;
	char number[24], oom_score[16];

	if (argc < 3)
		return 2;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	setsid();
	pid_t taut = (pid_t)strtol(argv[1], NULL, 10);
	int pidfd = open_taut(taut, &gone);

	if (fork() != 0) /* also when fork failed: then the guard writes no id to standard output */
		_exit(0);
	if (chdir("/") < 0) { /* it stays in the old directory */ }
	if (!keep_command(argc, argv))
		return 2;
	prctl(PR_SET_NAME, NAME);
	/* Preloads of an application that uses the package: their paths may be relative, and the restore needs none. */
	unsetenv("NODE_OPTIONS");
	read_oom_score(oom_score, sizeof(oom_score));
	set_oom_score("-1000");
	to_null(ERRORS);
	char *self = decimal((unsigned long)getpid(), number, sizeof(number));

	if (write(TO_TAUT, self, strlen(self)) < 0) { /* taut has already ended */ }
	to_null(TO_TAUT);
	if (pidfd < 0)
		close(PIDFD);
	close_others();

	if (is_released(pidfd, gone))
		return 0;
	for (int attempt = 0, pause_ms = 0; attempt < ATTEMPTS; attempt++) {
		if (restore(oom_score)) {
			tell("taut ended without putting everything back; done now");
			return 0;
		}
		poll(NULL, 0, pause_ms);
		pause_ms = pause_ms == 0 ? 10 : pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
	}
	tell("taut ended without putting everything back, and it can't be done now; try: taut restore");
	return 1;
}
