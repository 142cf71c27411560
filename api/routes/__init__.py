"""Routes, a module per subject; each calls one command and gives its result a shape."""
