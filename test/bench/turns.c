/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads that measure their own CPU time, on one CPU: `turns CPU`. CPU time leaves out what other processes take
 * meanwhile. Reads commands, and answers each with the nanoseconds that an operation took:
 *   pipe N    a byte goes N times to another process and back: two wakeups and two switches
 *   timers N  N timed waits of 60 us, shared by 16 threads without slack, so that the CPU never idles: an interrupt
 *             that finds it idle is on nobody's account
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define THREADS 16

static pthread_barrier_t begin, end;
static long waits; /* of each thread */
static int there[2], back[2];

static void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static double cpu_ns(clockid_t clock)
{
	struct timespec t;

	need(clock_gettime(clock, &t) == 0, "clock_gettime");
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void *wait_often(void *unused)
{
	struct timespec us = {0, 60000};

	prctl(PR_SET_TIMERSLACK, 1);
	for (;;) {
		pthread_barrier_wait(&begin);
		for (long i = 0; i < waits; i++)
			nanosleep(&us, NULL);
		pthread_barrier_wait(&end);
	}
	return unused;
}

static void echo(void)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, 9);
	close(there[1]);
	close(back[0]);
	while (read(there[0], &byte, 1) == 1)
		need(write(back[1], &byte, 1) == 1, "write");
	exit(0);
}

static void pass(long n)
{
	char byte = 0;

	for (long i = 0; i < n; i++)
		need(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "pass a byte");
}

int main(int argc, char **argv)
{
	cpu_set_t one;
	pthread_t thread;
	clockid_t other;
	char command[16];
	long n;

	CPU_ZERO(&one);
	CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &one);
	need(sched_setaffinity(0, sizeof(one), &one) == 0, "sched_setaffinity");
	need(pipe(there) == 0 && pipe(back) == 0, "pipe");
	pid_t child = fork();
	need(child >= 0, "fork");
	if (child == 0)
		echo();
	need(clock_getcpuclockid(child, &other) == 0, "clock_getcpuclockid");
	pthread_barrier_init(&begin, NULL, THREADS + 1);
	pthread_barrier_init(&end, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		need(pthread_create(&thread, NULL, wait_often, NULL) == 0, "pthread_create");
	printf("ready %d\n", child);
	fflush(stdout);
	while (scanf("%15s %ld", command, &n) == 2) {
		double from = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) + cpu_ns(other);

		if (strcmp(command, "pipe") == 0) {
			pass(n);
		} else {
			waits = n / THREADS;
			pthread_barrier_wait(&begin);
			pthread_barrier_wait(&end);
		}
		printf("%.2f\n", (cpu_ns(CLOCK_PROCESS_CPUTIME_ID) + cpu_ns(other) - from) / n);
		fflush(stdout);
	}
	return 0;
}
