"""Hostile files in the child process: what exceeds a limit is refused with the limit, and nothing else suffers."""

import errno
import io
import os
import signal
import subprocess
import threading
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from rejoinder.corpus.values import Cue
from rejoinder.errors import InputUnreadable, RejoinderError
from resources import extracting
from resources.extracting import ReaderFailed, extract

PAGE = (
    b"<!doctype html><html lang='en'><head><title>Pumps</title></head><body><p>"
    + b"Heat pumps are cheap to run. " * 9
    + b"</p></body></html>"
)


def pdf(stream: bytes) -> bytes:
    """A PDF of one page with a compressed stream."""
    packed = zlib.compress(stream, 9)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources 6 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(packed), packed),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    file, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 7\n0000000000 65535 f \n" + table
    return file + head + b"trailer << /Root 1 0 R /Size 7 >>\nstartxref\n%d\n%%%%EOF" % len(file)


def test_a_page_is_read_in_a_child_also_beside_threads() -> None:
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(extract("p", PAGE, timeout_s=120))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(one.title, one.format, one.language) for one in found] == [("Pumps", "html_document", "en")] * 2


def test_a_pdf_is_read_and_one_that_unpacks_without_end_is_not() -> None:
    assert extract("p", pdf(b"BT /F1 12 Tf 50 700 Td (Hello there.) Tj ET"), timeout_s=120).cues == (
        Cue("Hello there."),
    )
    with pytest.raises(InputUnreadable):
        extract("p", pdf(b" " * 200_000_000), timeout_s=120)


def test_too_slow_and_too_large_say_so() -> None:
    long = PAGE.replace(b"</body>", b"<p>Heat pumps are cheap.</p>" * 20_000 + b"</body>")
    with pytest.raises(InputUnreadable, match=r"longer than 0\.01 s"):
        extract("p", long, timeout_s=0.01)
    with pytest.raises(InputUnreadable, match="larger than 64 MiB"):
        extract("p", bytes(65 * 2**20), timeout_s=1)


def test_a_word_file_that_needs_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extracting, "MAX_MEMORY_BYTES", 2**28)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<a>" + "<b/>" * 1_500_000 + "</a>")
    with pytest.raises(InputUnreadable, match=r"more than 0\.25 GiB of memory"):
        extract("p", file.getvalue(), timeout_s=120)


def test_reasons_of_the_parsers_come_through_and_a_crash_has_one() -> None:
    with pytest.raises(InputUnreadable, match="no text in it"):
        extract("p", b"<html><body><script>1</script></body></html>", timeout_s=120)
    with pytest.raises(InputUnreadable, match="signal 11"):
        extracting._answer(-11, b"")
    with pytest.raises(InputUnreadable, match="processor's time"):
        extracting._answer(-signal.SIGXCPU, b"")
    with pytest.raises(InputUnreadable, match="gave no transcript"):
        extracting._answer(0, b'{"title": 3}')


def test_a_line_of_3_mb_is_read() -> None:
    parsed = extract("p", b"and on it goes, word by word, " * 100_000, timeout_s=120)
    assert [cue.text for cue in parsed.cues] == ["and on it goes, word by word,"]


def test_a_broken_installation_is_not_the_files_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'pypdf'\" >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(extracting.sys, "executable", str(broken))
    with pytest.raises(ReaderFailed, match="cannot start: ModuleNotFoundError: No module named 'pypdf'"):
        extract("p", PAGE, timeout_s=120)
    monkeypatch.setattr(extracting.sys, "executable", str(tmp_path / "none"))
    with pytest.raises(ReaderFailed, match="cannot be started: No such file"):
        extract("p", PAGE, timeout_s=120)


def test_a_program_that_never_gets_ready_is_not_the_files_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    idle = tmp_path / "python"
    idle.write_text("#!/bin/sh\nexec sleep 600\n")
    idle.chmod(0o755)
    monkeypatch.setattr(extracting.sys, "executable", str(idle))
    with pytest.raises(ReaderFailed, match=r"did not start within 0\.05 s"):
        extract("p", PAGE, timeout_s=120, start_s=0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_that_is_killed_from_outside_is_not_the_files_fault(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    communicate = subprocess.Popen.communicate

    def killed(child: "subprocess.Popen[bytes]", *args: Any, **values: Any) -> Any:
        os.kill(child.pid, number)
        return communicate(child, *args, **values)

    monkeypatch.setattr(subprocess.Popen, "communicate", killed)
    with pytest.raises(ReaderFailed, match=f"ended from outside .signal {number}"):
        extract("p", PAGE, timeout_s=120)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ImportError("No module named 'mammoth'"), ReaderFailed),
        (OSError(errno.ENOSPC, "No space left on device"), ReaderFailed),
        (ImportError("x.so: failed to map segment: Cannot allocate memory"), InputUnreadable),
        (MemoryError(), InputUnreadable),
        (AttributeError("None"), InputUnreadable),
        (OSError(errno.EOVERFLOW, "Value too large for defined data type"), InputUnreadable),
    ],
)
def test_what_kept_a_file_from_being_read_is_told_apart(
    error: Exception, expected: type[RejoinderError]
) -> None:
    with pytest.raises(expected):
        extracting._answer(*extracting._verdict(error))
