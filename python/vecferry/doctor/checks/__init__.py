"""The judgements, a file a subject; each is a pure function of what was read."""
