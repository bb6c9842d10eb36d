class Unfinished(Exception):
    """The minutes are over; the checkpoint stands."""
