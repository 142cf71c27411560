"""How much memory this process may use: the machine's, or less where a container has a limit."""

from pathlib import Path

# Control groups, version 2 and version 1; "max" and absurdly large numbers stand for no limit.
LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def usable_memory_bytes(limits: tuple[Path, ...] = LIMITS) -> int:
    """The machine's memory in bytes, or the smallest limit that one of these files names."""
    import psutil

    return min([int(psutil.virtual_memory().total), *filter(None, map(_limit, limits))])


def _limit(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
