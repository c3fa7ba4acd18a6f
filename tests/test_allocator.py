import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt(3) is of glibc")

MIB = 1024 * 1024

# Threads use large blocks in turn, as those of a server do for one upload.
TURNS = """
import re, sys, threading
import servers.allocator
getattr(servers.allocator, sys.argv[1], lambda: None)()

def memory():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024

turns = [threading.Event() for _ in range(8)]
done = threading.Semaphore(0)

def use(turn):
    turn.wait()
    for _ in range(8):
        block = b"x" * (2 * 1024 * 1024)
    del block
    done.release()
    threading.Event().wait()

for turn in turns:
    threading.Thread(target=use, args=(turn,), daemon=True).start()
before = memory()
for turn in turns:
    turn.set()
    done.acquire()
print(memory() - before)
"""


def growth(setting: str) -> int:
    """By how many bytes a process has grown when eight threads have used 2 to 4 MiB in turn."""
    command = (sys.executable, "-c", TURNS, setting)
    return int(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)


@pytest.mark.parametrize("setting", ["reuse_large_blocks", "give_large_blocks_back"])
def test_threads_use_again_what_others_have_freed(setting: str) -> None:
    assert growth(setting) <= 8 * MIB


def test_without_it_each_thread_keeps_its_own() -> None:
    assert growth("as glibc does it by itself") > 12 * MIB, "these settings are not needed here any more"
