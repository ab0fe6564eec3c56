"""Strongroom: personal data that is unreadable when stolen and cannot be read unseen."""

__version__ = "0.1.0"
