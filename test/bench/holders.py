"""`holders.py PROCESSES DESCRIPTORS`: each holds that many, and asks a resolver, which is beside them, for a listed name all the time."""
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../kernel/fixtures"))
import family  # noqa: E402

processes, descriptors = int(sys.argv[1]), int(sys.argv[2])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, descriptors + 100), hard))
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
resolver.bind(("127.0.0.1", 53))
name = b"".join(bytes([len(label)]) + label for label in (b"api", b"model", b"example")) + b"\0"
question = struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1)
for _ in range(processes):
    if family.fork() == 0:
        resolver.close()
        for _ in range(descriptors):
            os.dup(0)
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while True:
            asker.sendto(question, ("127.0.0.1", 53))
            time.sleep(0.05)
print("ready", flush=True)
signal.pause()
