"""A year in the life of the city of examples/city, and then everything at hand is tried on what should be gone.

``city`` is the place: both houses, a clock, whoever asks. ``days`` is what happens, ``truth`` what the referee remembers of it;
``attic`` has every copy of the vault that was ever made and opens what can be opened. ``drill`` runs and judges.
"""
