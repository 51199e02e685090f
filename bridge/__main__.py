"""``python -m bridge``: the command line."""

from bridge.cli.app import run

if __name__ == "__main__":
    run()
