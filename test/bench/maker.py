"""An agent that has things made, line by line: `make N` (make -j4 of N files of C), `compile N` (N compilers, forked by itself), `true N`.

After each it says `ran SECONDS`: the CPU time of all its descendants in it. `maker.py MARK FOLDER`: where it makes files."""
import os
import pathlib
import resource
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).parent.parent / "kernel/fixtures"))
import family

AT_ONCE = 4
folder = pathlib.Path(sys.argv[2])
SOURCE = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n" + "".join(
    f"int f{i}(int n) {{ char s[64]; snprintf(s, sizeof s, \"%d\", n * {i}); return (int)strlen(s) + atoi(s); }}\n" for i in range(40)
)
(folder / "one.c").write_text(SOURCE)
(folder / "Makefile").write_text("all: $(addsuffix .o,$(shell seq $(N)))\n%.o: one.c\n\tcc -O2 -c -o /dev/null $<\n.PHONY: all\n")


def run_all(command, n):
    running = []
    for _ in range(n):
        if len(running) == AT_ONCE:
            running.pop(0).wait()
        running.append(subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, preexec_fn=family.ends_with_us()))
    for one in running:
        one.wait()


def spent():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


print("ready", flush=True)
for line in sys.stdin:
    word, n = line.split()
    before = spent()
    if word == "make":
        run_all(["make", "-s", "-j4", f"N={n}"], 1)
    elif word == "compile":
        run_all(["cc", "-O2", "-c", "-o", "/dev/null", "one.c"], int(n))
    else:
        run_all(["true"], int(n))
    print("ran", spent() - before, flush=True)
