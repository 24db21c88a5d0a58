/*
 * An agent with tools that use up the CPUs, in a session of their own.
 *
 *   responsive MARK            a bystander that only computes, in a session of its own, and the agent in another
 *   responsive MARK agent FD   does what its standard input says, a line each; answers each with one line
 *       tools N KIND           starts N processes of a kind (below): their ids
 *       measure N US           waits N times for a timer, and computes for that long each time: how late it was woken, and
 *                              what the others did meanwhile
 *       stop                   ends the tools
 *   tool FD I KIND [N]         a tool; counts what it did in the I-th counter of the shared page
 *
 * The tools are another program, TOOL: a process that runs the agent's own is a part of the agent. (The same file, copied.)
 *
 * Kinds: `compute` only computes; `apart` does so N times in one session of its own; `short` lets children compute, each for
 * 200 ms; `compile` has this file compiled again and again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TOOLS = 64, PAGE = 8192 };

/* A cache line each. The bystander's is the first. */
struct counter {
	volatile uint64_t n;
	char rest[56];
};

static struct counter *counters;
static const char *program;
static pid_t tools[TOOLS];
static int tool_count, counter_count;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* No clock in this loop: a call of the kernel would let others in. */
static void compute(int i)
{
	for (;;)
		counters[i].n++;
}

static void compute_shortly(int i)
{
	struct itimerval limit = { .it_value.tv_usec = 200000 };
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setitimer(ITIMER_REAL, &limit, NULL);
		compute(i);
	}
	waitpid(child, NULL, 0);
}

static void compile(int i)
{
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("clang", "clang", "-O2", "-c", "-DSOURCE=\"\"", "-DTOOL=\"\"", "-o", "/dev/null", SOURCE, (char *)NULL);
		_exit(127);
	}
	int status = 0;

	waitpid(child, &status, 0);
	if (status != 0)
		exit(1);
	counters[i].n++;
}

/* A session's autogroup is inherited by what is forked in it. */
static void begin_session(int i, int n)
{
	pid_t leader;

	setsid();
	leader = getpid();
	while (--n > 0 && fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != leader)
			_exit(1);
		compute(i + n);
	}
	compute(i);
}

static void be_tool(int i, const char *kind, int n)
{
	if (strcmp(kind, "apart") == 0)
		begin_session(i, n);
	for (;;) {
		if (strcmp(kind, "short") == 0)
			compute_shortly(i);
		else if (strcmp(kind, "compile") == 0)
			compile(i);
		else
			compute(i);
	}
}

static volatile uint64_t sink;

static void spin(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		sink++;
}

/* How far `spin` counts in a microsecond, while nothing else runs: the best of some. */
static double speed(void)
{
	const uint64_t n = 1000000;
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 20; i++) {
		uint64_t begin = now();

		spin(n);
		if (now() - begin < best)
			best = now() - begin;
	}
	return 1000.0 * n / best;
}

static pid_t start(const char *fd, int i, const char *kind, int n)
{
	char name[16], count[16];
	pid_t pid;

	snprintf(name, sizeof name, "%d", i);
	snprintf(count, sizeof count, "%d", n);
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl(TOOL, TOOL, fd, name, kind, count, (char *)NULL);
	_exit(127);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t work(void)
{
	uint64_t sum = 0;

	for (int i = 1; i <= counter_count; i++)
		sum += counters[i].n;
	return sum;
}

static void measure(int n, uint64_t turns)
{
	uint64_t *late = calloc(n, sizeof *late);
	uint64_t begin = now(), others = counters[0].n, own = work(), at = begin;
	unsigned seed = (unsigned)begin;

	for (int i = 0; i < n; i++) {
		/* 1 to 3 ms later, at no pace that a tick could have. */
		at = now() + 1000000 + rand_r(&seed) % 2000000;
		struct timespec t = { .tv_sec = at / 1000000000, .tv_nsec = at % 1000000000 };
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
			;
		late[i] = now() - at;
		spin(turns);
	}
	double seconds = (now() - begin) / 1e9;
	double tool_work = (work() - own) / seconds, bystander = (counters[0].n - others) / seconds;
	int above = 0;

	qsort(late, n, sizeof *late, by_size);
	for (int i = 0; i < n; i++)
		above += late[i] > 488281; /* 2^-11 s: a bound of taut's buckets */
	printf("{\"wakeups\":%d,\"late\":%d,\"p50\":%.9f,\"p99\":%.9f,\"tools\":%.0f,\"bystander\":%.0f}\n", n, above,
	       late[n / 2] / 1e9, late[n - 1 - n / 100] / 1e9, tool_work, bystander);
	free(late);
}

static void stop(void)
{
	for (int i = 0; i < tool_count; i++)
		kill(tools[i], SIGKILL);
	for (int i = 0; i < tool_count; i++)
		waitpid(tools[i], NULL, 0);
	tool_count = 0;
}

static int agent(const char *fd)
{
	char line[64], kind[16];
	double a_us = speed();

	printf("pid %d\n", getpid());
	while (fgets(line, sizeof line, stdin)) {
		int n = 0, us = 0;

		if (sscanf(line, "tools %d %15s", &n, kind) == 2 && n <= TOOLS) {
			int is_apart = strcmp(kind, "apart") == 0;

			counter_count = n;
			for (tool_count = 0; tool_count < (is_apart ? 1 : n); tool_count++) {
				tools[tool_count] = start(fd, tool_count + 1, kind, n);
				printf("%s%d", tool_count ? " " : "tools ", tools[tool_count]);
			}
			printf("\n");
		} else if (sscanf(line, "measure %d %d", &n, &us) == 2 && n > 0) {
			measure(n, us * a_us);
		} else {
			stop();
			printf("stopped\n");
		}
	}
	stop();
	return 0;
}

int main(int argc, char **argv)
{
	char fd[16];
	int page;
	pid_t bystander, child;

	program = argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc >= 4) {
		int is_agent = strcmp(argv[2], "agent") == 0;

		page = atoi(argv[is_agent ? 3 : 1]);
		counters = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
		if (counters == MAP_FAILED)
			return 1;
		if (is_agent)
			return agent(argv[3]);
		be_tool(atoi(argv[2]), argv[3], atoi(argv[4]));
	}
	setsid();
	page = memfd_create("counters", 0);
	if (page < 0 || ftruncate(page, PAGE) != 0)
		return 1;
	snprintf(fd, sizeof fd, "%d", page);
	bystander = start(fd, 0, "apart", 1);
	printf("bystander %d\n", bystander);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, program, argv[1], "agent", fd, (char *)NULL);
		_exit(127);
	}
	waitpid(child, NULL, 0);
	kill(bystander, SIGKILL);
	return 0;
}
