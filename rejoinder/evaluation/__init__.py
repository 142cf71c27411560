"""Golden cases: what each task should answer, and how near an answer comes to it."""
