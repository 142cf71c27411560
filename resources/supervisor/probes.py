"""Asks a child whether it is healthy. Never through a proxy: every address is on this machine."""

import http.client
import socket

from resources.supervisor.specs import HttpProbe, Probe, TcpProbe

PROBE_TIMEOUT_S = 5.0
LONGEST_ANSWER = 1_000_000


def is_healthy(probe: Probe) -> bool:
    """Whether the child behind the probe answers as it should; False on any failure to connect or to read."""
    try:
        return _answers_tcp(probe) if isinstance(probe, TcpProbe) else _answers_http(probe)
    except (OSError, http.client.HTTPException):
        return False


def _answers_tcp(probe: TcpProbe) -> bool:
    with socket.create_connection((probe.host, probe.port), timeout=PROBE_TIMEOUT_S):
        return True


def _answers_http(probe: HttpProbe) -> bool:
    connection = http.client.HTTPConnection(probe.host, probe.port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", probe.path)
        answer = connection.getresponse()
        body = answer.read(LONGEST_ANSWER).decode("utf-8", "replace")
        return 200 <= answer.status < 300 and probe.contains in body
    finally:
        connection.close()
