"""Tables on the terminal."""

from rich.console import Console
from rich.table import Table

_WIDTH = 1000  # more than any has


def show(table: Table) -> None:
    """Print it, with every text in it as it is: names are what customers chose, and no markup.

    A table that is wider than the terminal is not made narrower, for that would cut off the ends of
    secrets and ids, which are there to be copied.
    """
    Console(markup=False, emoji=False, highlight=False, width=_WIDTH).print(table)
