"""Written sources, one module per format; ``rejoinder.corpus.reading.read_source`` is the way in."""
