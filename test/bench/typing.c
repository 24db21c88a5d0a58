/*
 * A person at a terminal: types a key, and looks when something appears.
 *
 *   typing SCREEN COMMAND...   runs a command as the leader of a session with a terminal of its own, and keeps what the terminal
 *                              shows in a file. Does what its standard input says, a line each; answers each with one line:
 *       type HEX               types these bytes
 *       quiet MS               waits until the command reads single keys and has painted nothing for that long, 60 s at most
 *       measure N              types N keys, one of them after the other has been answered: how long it was until the first byte
 *                              was painted, in microseconds each (-1: nothing was within 2 s); and before how many of them
 *                              something was painted though nobody had typed
 *
 * Is real-time, so that it measures the command's delays and not its own. The command ends with it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 2000, SETTLED_MS = 60, RESTLESS_MS = 600, START_MS = 60000, MOST_KEYS = 10000 };

/* Typed and taken back, so that the line never grows. */
static const char KEYS[] = { 'x', 0x7f };

static int terminal, screen;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* What a terminal answers by itself; programs wait for that. */
static void answer(const char *painted)
{
	static const char *const talk[][2] = {
		{ "\033[6n", "\033[1;1R" },
		{ "\033[c", "\033[?62;22c" },
		{ "\033[0c", "\033[?62;22c" },
		{ "\033[5n", "\033[0n" },
		{ "\033]10;?", "\033]10;rgb:ffff/ffff/ffff\033\\" },
		{ "\033]11;?", "\033]11;rgb:0000/0000/0000\033\\" },
	};

	for (unsigned i = 0; i < sizeof talk / sizeof *talk; i++)
		if (strstr(painted, talk[i][0]) && write(terminal, talk[i][1], strlen(talk[i][1])) < 0)
			exit(1);
}

/* Waits until something is painted. Whether something was. */
static int painted(int ms)
{
	char bytes[65536];
	struct pollfd at = { .fd = terminal, .events = POLLIN };
	ssize_t n;

	if (poll(&at, 1, ms) <= 0)
		return 0;
	n = read(terminal, bytes, sizeof bytes - 1);
	if (n <= 0)
		exit(2); /* the command has ended */
	for (ssize_t i = 0; i < n; i++)
		if (bytes[i] == 0)
			bytes[i] = ' ';
	bytes[n] = 0;
	if (write(screen, bytes, n) != n)
		exit(1);
	answer(bytes);
	return 1;
}

/* Until then it is the terminal that shows what is typed. */
static int reads_single_keys(void)
{
	struct termios mode;

	return tcgetattr(terminal, &mode) == 0 && !(mode.c_lflag & (ECHO | ICANON));
}

/* Waits until nothing was painted for that long. Whether it came to that within the limit. */
static int quiet(int ms, int limit_ms)
{
	uint64_t end = now() + limit_ms * 1000000ull;

	while (now() < end)
		if (!painted(ms) && reads_single_keys())
			return 1;
	return 0;
}

static int rest_ms(uint64_t until)
{
	uint64_t at = now();

	return at >= until ? 0 : (until - at) / 1000000 + 1;
}

static void measure(int n)
{
	unsigned seed = (unsigned)now();
	int unasked = 0;

	printf("measured");
	for (int i = 0; i < n; i++) {
		quiet(SETTLED_MS, RESTLESS_MS);
		/* At no pace that a clock of the command could have. */
		uint64_t at = now() + 20000000 + rand_r(&seed) % 80000000;
		int is_restless = 0;
		while (rest_ms(at) > 0)
			is_restless |= painted(rest_ms(at));
		unasked += is_restless;
		uint64_t begin = now();
		if (write(terminal, &KEYS[i % sizeof KEYS], 1) != 1)
			exit(1);
		struct pollfd shown = { .fd = terminal, .events = POLLIN };
		int is_shown = poll(&shown, 1, PATIENCE_MS) > 0;
		printf(" %lld", is_shown ? (long long)(now() - begin) / 1000 : -1ll);
		if (is_shown)
			painted(0);
	}
	printf(" unasked %d\n", unasked);
}

static void type(const char *hex)
{
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
		char key = byte;
		if (write(terminal, &key, 1) != 1)
			exit(1);
		usleep(20000); /* faster is taken for a paste */
	}
	printf("typed\n");
}

static void obey(const char *line)
{
	char hex[4096];
	int n;

	if (sscanf(line, "type %4095s", hex) == 1) {
		type(hex);
	} else if (sscanf(line, "quiet %d", &n) == 1) {
		printf("%s\n", quiet(n, START_MS) ? "quiet" : "restless");
	} else if (sscanf(line, "measure %d", &n) == 1 && n > 0 && n <= MOST_KEYS) {
		measure(n);
	}
}

int main(int argc, char **argv)
{
	struct winsize size = { .ws_row = 40, .ws_col = 120 };
	struct sched_param priority = { .sched_priority = 50 };
	pid_t own = getpid();
	char line[8192];

	if (argc < 3)
		return 64;
	screen = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t child = forkpty(&terminal, NULL, NULL, &size);
	if (screen < 0 || child < 0)
		return 1;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != own)
			_exit(1);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
		return 1;
	printf("pid %d\n", child);
	for (;;) {
		struct pollfd both[] = { { .fd = 0, .events = POLLIN }, { .fd = terminal, .events = POLLIN } };

		poll(both, 2, -1);
		if (both[1].revents)
			painted(0);
		if (!both[0].revents)
			continue;
		if (!fgets(line, sizeof line, stdin))
			break;
		obey(line);
	}
	kill(child, SIGKILL);
	return 0;
}
