"""What an agent starts to have things built: `builder.py ORDERS SOURCE`. It is a tool, not a helper.

The agent starts it as a server of tools, and is told that there are none. It does what is written into a pipe with a name, a
line each: `start N KIND`, `stop`. Kinds: `compute` (shells that only count), `compile` (shells that have SOURCE compiled
again and again). What it starts is in its session, and so in the agent's; it ends with it."""
import json
import os
import pathlib
import select
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).parent.parent / "kernel/fixtures"))
import family

orders, source = sys.argv[1:]
SCRIPTS = {
    "compute": "while :; do :; done",
    "compile": 'while clang -O2 -c -o /dev/null "$0"; do :; done',
}
started = []


def answer(asked):
    method = asked.get("method")
    if method == "initialize":
        version = asked["params"]["protocolVersion"]
        return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "builder", "version": "1"}}
    return {"tools": []} if method == "tools/list" else {}


def obey(words):
    if words[0] == "start":
        for _ in range(int(words[1])):
            end_with_us = family.ends_with_us()
            # A group of its own: a compiler goes with the shell that started it.
            script = ["sh", "-c", SCRIPTS[words[2]], source]
            started.append(subprocess.Popen(script, stdin=subprocess.DEVNULL, preexec_fn=lambda: (os.setpgid(0, 0), end_with_us())))
        return
    for one in started:
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()
    started.clear()


pipe = os.open(orders, os.O_RDWR)
buffers = {0: b"", pipe: b""}
while True:
    for fd in select.select([0, pipe], [], [])[0]:
        got = os.read(fd, 65536)
        if not got:
            obey(["stop"])
            sys.exit()
        *lines, buffers[fd] = (buffers[fd] + got).split(b"\n")
        for line in filter(None, lines):
            if fd == pipe:
                obey(line.decode().split())
                continue
            asked = json.loads(line)
            if "id" in asked:
                print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": answer(asked)}), flush=True)
