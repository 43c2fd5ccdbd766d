"""What a value is on both sides, and where the sides differ; pure, and no code that loads is used here.

A migration is not proven by the code that did it: what is selected on either side, how it becomes one Arrow form and
how rows are matched is written here a second time, from the servers' own words.
"""
