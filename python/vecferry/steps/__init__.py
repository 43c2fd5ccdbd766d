"""One file per step of a run; each does one thing and knows none of the others."""
