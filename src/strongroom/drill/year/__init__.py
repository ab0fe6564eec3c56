"""A year in the life of the city of examples/city, and then everything at hand is tried on what should be gone.

``city`` is the place: both houses, a clock, whoever asks. ``days`` is what happens, ``truth`` what the referee remembers of it.
``drill`` runs and judges.
"""
