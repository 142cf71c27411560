"""Transcripts as files have them, one module per shape; ``read.parse_transcript`` is the way in."""
