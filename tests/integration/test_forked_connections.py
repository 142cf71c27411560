"""A forked process asks the database and hosted models over connections of its own, and leaves its parent's alone."""

import subprocess
import sys
from pathlib import Path

from resources.provision import Addresses

ROOT = Path(__file__).resolve().parents[2]
FORKED = """
import os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from resources.llm.providers.hosted_wire import exchange, http_client
from resources.postgres import Database

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        # Which connection it came over.
        told = str(self.client_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
http, db = http_client(2), Database(sys.argv[1], max_size=2).open()

def seen():
    with exchange(20.0), db.transaction() as tx:
        pid = tx.connection.execute("select pg_backend_pid() as pid").fetchone()["pid"]
        return pid, http.get(f"http://127.0.0.1:{server.server_address[1]}").text

def tell(who):
    print(who, *seen(), flush=True)

tell("parent")
child = os.fork()
if child == 0:
    tell("child")
    tell("child")
    db.close()
    http.close()
    os._exit(0)
os.waitpid(child, 0)
tell("parent")
db.close()
"""


def test_parent_and_child_have_connections_of_their_own(addresses: Addresses) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED, addresses.app],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = [tuple(line.split()) for line in done.stdout.splitlines()]
    assert len(told) == 4 and len(set(told)) == 2, done.stdout
    assert not set(told[0][1:]) & set(told[1][1:])
