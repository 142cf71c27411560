"""Bringing sources in from the page: files that are uploaded, addresses that are fetched."""

import streamlit as st

from rejoinder.errors import InputUnreadable
from resources.commands.sources import add_upload, add_urls, intake_for
from resources.ingesting import Intake
from resources.settings import load_settings
from resources.tuning import load_tuning
from review_app.desk import database, me, refusal
from review_app.problems import has_problem, show_problem, telling


def show_intake(project_id: int) -> None:
    """The form; closed until somebody wants to add something."""
    hindrance = refusal("ingest")
    with st.expander("Add sources", expanded=False, key="intake"):
        files_side, urls_side = st.columns(2, gap="medium")
        with files_side:
            _show_upload(project_id, hindrance)
        with urls_side:
            _show_addresses(project_id, hindrance)
    show_problem("intake")


def _intake(project_id: int) -> Intake:
    settings = load_settings()
    return intake_for(database(), settings, load_tuning(settings), project_id, me())


def _show_upload(project_id: int, hindrance: str | None) -> None:
    # A new key empties the box once its files were taken.
    turn = st.session_state.setdefault("upload_turn", 0)
    files = st.file_uploader(
        "Transcripts, pages, documents",
        accept_multiple_files=True,
        max_upload_size=load_tuning(load_settings()).ingestion.largest_mib,
        key=f"upload_{turn}",
        disabled=bool(hindrance),
    )
    is_idle = bool(hindrance) or not files
    if st.button("Add files", key="add_files", type="primary", disabled=is_idle, help=hindrance) and files:
        with telling("intake"):
            refused = _take(_intake(project_id), [(file.name, file.getvalue()) for file in files])
            if refused:
                raise InputUnreadable("; ".join(f"{name}: {reason}" for name, reason in refused.items()))
        _done(len(files), "file")
        if not has_problem("intake"):
            st.session_state["upload_turn"] = turn + 1
            st.rerun()


def _take(intake: Intake, files: list[tuple[str, bytes]]) -> dict[str, str]:
    """One bad file does not keep the others out; names of those that were refused, with the reason."""
    refused = {}
    for name, data in files:
        try:
            add_upload(intake, me(), name, data)
        except InputUnreadable as error:
            refused[name] = str(error)
    return refused


def _show_addresses(project_id: int, hindrance: str | None) -> None:
    given = st.text_area(
        "Addresses, one a line: transcripts, pages, feeds",
        key="addresses",
        placeholder="https://example.org/feed.xml",
        height=110,
        disabled=bool(hindrance),
    )
    urls = [line.strip() for line in (given or "").splitlines() if line.strip()]
    if st.button("Add addresses", key="add_addresses", disabled=bool(hindrance), help=hindrance):
        with telling("intake"):
            if urls:
                add_urls(_intake(project_id), me(), urls)
        _done(len(urls), "address")
        if urls and not has_problem("intake"):
            st.rerun()


def _done(count: int, noun: str) -> None:
    if count and not has_problem("intake"):
        plural = {"file": "files", "address": "addresses"}[noun]
        st.session_state["flash"] = f"{count} {noun if count == 1 else plural} in the queue."
