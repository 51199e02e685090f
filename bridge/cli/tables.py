"""Tables on the terminal."""

from rich.console import Console
from rich.table import Table


def show(table: Table) -> None:
    """Print it, with every text in it as it is: names are what customers chose, and no markup."""
    Console(markup=False, emoji=False, highlight=False).print(table)
