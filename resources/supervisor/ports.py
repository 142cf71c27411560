"""Whether the ports that the children want are free, looked at before anything starts."""

import socket
from collections import defaultdict
from collections.abc import Sequence

import psutil

from rejoinder.errors import ConfigInvalid
from resources.supervisor.specs import PortClaim

HOST = "127.0.0.1"


def refuse_busy_ports(claims: Sequence[PortClaim]) -> None:
    """Check that every claimed port is free and claimed once.

    Raises:
        ConfigInvalid: one is not; a line per port says who wants it, who has it and what to change.
    """
    if problems := [line for claim in claims if (line := busy_reason(claim))] + _claimed_twice(claims):
        raise ConfigInvalid("\n".join(problems))


def busy_reason(claim: PortClaim) -> str | None:
    """Why the claim cannot be met, with the way out, or None if its port is free."""
    if is_free(claim.port):
        return None
    return (
        f"Port {claim.port}, which {claim.wanted_by} needs, is in use{_by_whom(claim.port)}. "
        f"Stop that, or choose another port with {claim.change_with}."
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of the loopback address."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True


def _by_whom(port: int) -> str:
    """The process that listens there, where the system tells; empty otherwise."""
    try:
        for entry in psutil.net_connections("tcp"):
            if entry.status == psutil.CONN_LISTEN and entry.laddr.port == port and entry.pid:
                return f" by {psutil.Process(entry.pid).name()} (process {entry.pid})"
    except psutil.Error:
        return ""
    return ""


def _claimed_twice(claims: Sequence[PortClaim]) -> list[str]:
    by_port: dict[int, list[PortClaim]] = defaultdict(list)
    for claim in claims:
        by_port[claim.port].append(claim)
    return [
        f"Port {port} is wanted by {' and by '.join(c.wanted_by for c in same)}. "
        f"Choose another with {' or '.join(c.change_with for c in same)}."
        for port, same in by_port.items()
        if len(same) > 1
    ]
