"""Language models that run on this machine: their files, checked, kept under a name, and found again."""
