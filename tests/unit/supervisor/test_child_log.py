import io
from pathlib import Path

from resources.supervisor.logs import OLD_FILES, ChildLog


def test_log_rotates_by_size_and_keeps_a_few_old_files(tmp_path: Path) -> None:
    log = ChildLog(tmp_path, "web", largest=1_000)
    for i in range(500):
        log.write(f"line {i} " + "x" * 40)
    log.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) == 1 + OLD_FILES
    assert all(f.stat().st_size <= 1_000 for f in files)
    assert "line 499" in log.path.read_text()


def test_output_arrives_whole_whatever_bytes_it_has(tmp_path: Path) -> None:
    log = ChildLog(tmp_path, "web")
    log.follow(io.BytesIO(b"one\n\xff\xfe two\r\n\x1b[32mgreen\x1b[0m\nno end of line"))
    log.close()
    assert log.path.read_text("utf-8").splitlines() == ["one", "�� two", "green", "no end of line"]


def test_last_words_skip_blank_lines(tmp_path: Path) -> None:
    log = ChildLog(tmp_path, "web")
    assert log.last_words() == ""
    for line in ("Error: no such module", "   ", ""):
        log.write(line)
    log.close()
    assert log.last_words() == "Error: no such module"


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "logs", "web")
    log.write("x")
    log.close()
    assert log.path.stat().st_mode & 0o077 == 0
