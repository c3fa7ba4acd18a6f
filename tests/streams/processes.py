"""What a backend's processes hold: their descriptors and threads, by /proc (Linux)."""

from pathlib import Path


def processes_of(pid: int) -> list[int]:
    """The process and all its descendants that live."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [pid, *(each for child in children for each in processes_of(int(child)))]


def descriptors(pids: list[int]) -> list[str]:
    """What every open descriptor of the processes refers to; one that closes meanwhile is left out."""
    found = []
    for link in (link for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir()):
        try:
            found.append(str(link.readlink()))
        except FileNotFoundError:
            continue
    return found


def socket_count(pids: list[int]) -> int:
    """How many of their descriptors are sockets."""
    return sum(target.startswith("socket:") for target in descriptors(pids))


def thread_count(pids: list[int]) -> int:
    """How many threads the processes have together."""
    return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in pids)
