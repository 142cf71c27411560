"""What the creator said: transcripts, cues, chunks, keywords, summaries, term weights."""
