// SPDX-License-Identifier: Apache-2.0
// taut-turn begin|end: what an agent's hook runs at the ends of a turn. It reads the hook's JSON from standard input and
// executes itself once more with the ids alone as arguments: EVENT SESSION TURN TRACEPARENT, "-" for one that is not known.
// Nothing else of the JSON, which has the user's prompt, leaves this process. It prints nothing and its status is 0, because
// an agent shows what its hooks print and may end a turn whose hook fails.
#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
  MOST_BYTES = 1 << 20,  // of the JSON: it has the prompt
  MOST_MS = 20,          // an agent that leaves its end of the pipe open waits no longer than this
  MOST_ID = 64,
  MOST_TOKENS = 8192,  // of the JSON: a hook's has dozens
  WRONG_USAGE = 2
};

static const char UNKNOWN[] = "-";
static const char HEX[] = "0123456789abcdef";

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// Reads standard input until its end, the bound or the deadline, whichever comes first. Returns the number of bytes.
static size_t read_input(char* text) {
  long long deadline = now_ms() + MOST_MS;
  size_t length = 0;
  while (length < MOST_BYTES) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    long long left = deadline - now_ms();
    if (left <= 0 || poll(&input, 1, (int)left) <= 0) break;
    ssize_t got = read(STDIN_FILENO, text + length, MOST_BYTES - length);
    if (got <= 0) break;
    length += (size_t)got;
  }
  return length;
}

// An id is printable and short, so that an argument can hold nothing that a person wrote.
static int is_id(const char* text) {
  size_t length = text ? strlen(text) : 0;
  return length > 0 && length <= MOST_ID &&
         strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") == length;
}

// The hook's JSON in pieces. The ids are cut out of it in place.
struct hook {
  char* text;
  jsmntok_t* tokens;
  int count;
};

static int is_key(const struct hook* hook, int at, const char* key) {
  const jsmntok_t* token = &hook->tokens[at];
  size_t length = (size_t)(token->end - token->start);
  return token->parent == 0 && token->type == JSMN_STRING && length == strlen(key) &&
         memcmp(hook->text + token->start, key, length) == 0;
}

static const char* id_of(const struct hook* hook, const char* key) {
  for (int at = 1; at + 1 < hook->count; at++) {
    const jsmntok_t* value = &hook->tokens[at + 1];
    if (!is_key(hook, at, key) || value->type != JSMN_STRING) continue;
    char* text = hook->text + value->start;
    hook->text[value->end] = 0;
    return is_id(text) ? text : UNKNOWN;
  }
  return UNKNOWN;
}

// W3C Trace Context, version 00: 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, ids not all zero.
static const char* trace_parent(void) {
  const char* text = getenv("TRACEPARENT");
  if (!text || strlen(text) != 55 || strncmp(text, "00-", 3) != 0) return UNKNOWN;
  if (strspn(text + 3, HEX) != 32 || text[35] != '-' || strspn(text + 36, HEX) != 16 || text[52] != '-') return UNKNOWN;
  if (strspn(text + 53, HEX) != 2 || strspn(text + 3, "0") == 32 || strspn(text + 36, "0") == 16) return UNKNOWN;
  return text;
}

static int usage(FILE* to, int status) {
  fputs(
      "Usage: taut-turn begin|end\n"
      "Run by the hooks of an agent when a turn begins and ends, with the hook's JSON on standard input.\n",
      to);
  return status;
}

int main(int count, char** arguments) {
  const char* event = count > 1 ? arguments[1] : "";
  if (strcmp(event, "--help") == 0) return usage(stdout, 0);
  if (strcmp(event, "begin") != 0 && strcmp(event, "end") != 0)
    return isatty(STDERR_FILENO) ? usage(stderr, WRONG_USAGE) : 0;
  if (count > 2) return 0;  // the second time: that it was executed is all that it is for
  static char text[MOST_BYTES];
  static jsmntok_t tokens[MOST_TOKENS];
  struct hook hook = {.text = text, .tokens = tokens};
  jsmn_parser parser;
  jsmn_init(&parser);
  if (!isatty(STDIN_FILENO)) hook.count = jsmn_parse(&parser, text, read_input(text), tokens, MOST_TOKENS);
  if (hook.count > 0 && tokens[0].type != JSMN_OBJECT) hook.count = 0;
  const char* turn = id_of(&hook, "turn_id");
  if (turn == UNKNOWN) turn = id_of(&hook, "prompt_id");
  const char* told[] = {"taut-turn", event, id_of(&hook, "session_id"), turn, trace_parent(), NULL};
  char* no_environment[] = {NULL};
  execve("/proc/self/exe", (char**)told, no_environment);
  return 0;
}
