"""Two hosts in network namespaces of their own: ours, behind a firewall, and another.

``unshare -rn python -m tests.adapters.network RULES`` reads lines from standard input, each a
source, a destination and a port, sends a packet of each, and prints the numbers of the lines of
those that arrived.  Nothing of the machine's own network is touched.
"""

import contextlib
import ipaddress
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence

from bridge.embedded.processes import program

_END = b"end"
_Packet = tuple[str, str, int]


def arrived(rules: str, packets: Sequence[_Packet]) -> list[_Packet]:
    """Which of the packets do, with those rules loaded, twice, at the host that they go to."""
    lines = "".join(f"{source} {target} {port}\n" for source, target, port in packets)
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-m", "tests.adapters.network", rules],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    return [packets[int(number)] for number in done.stdout.split()]


def main() -> None:
    packets = [(a, b, int(port)) for a, b, port in (line.split() for line in sys.stdin)]
    for _ in range(2):
        _run("nft", "-f", "-", input=sys.argv[1])
    with _neighbour() as pid:
        _run(
            "ip", "link", "add", "ours", "type", "veth", "peer", "name", "theirs", "netns", str(pid)
        )
        there = ["nsenter", f"--net=/proc/{pid}/ns/net"]
        for prefix, device, addresses in (
            ([], "ours", {target for _, target, _ in packets}),
            (there, "theirs", {source for source, _, _ in packets}),
        ):
            for name in ("lo", device):
                _run(*prefix, "ip", "link", "set", name, "up")
            for address in addresses:
                _run(*prefix, "ip", "address", "add", address, "dev", device, *_flags(address))
        _routes([], "ours", {source for source, _, _ in packets})
        _routes(there, "theirs", {target for _, target, _ in packets})
        with contextlib.ExitStack() as sockets:
            ears = {
                place: sockets.enter_context(_ear(*place))
                for place in {(target, port) for _, target, port in packets}
            }
            sender = [*there, sys.executable, "-c", _SENDER, repr(packets)]
            subprocess.run(sender, check=True)
            print(*sorted(_heard(ears.values())))  # noqa: T201


# Bound to each packet's source; twice, because the first may wait for the other's link address.
_SENDER = """
import ast, socket, sys
for number, (source, target, port) in enumerate(ast.literal_eval(sys.argv[1])):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        for _ in range(2):
            sender.sendto(str(number).encode(), (target, port))
"""


@contextlib.contextmanager
def _neighbour() -> Iterator[int]:
    """A process in a network namespace of its own."""
    own = os.readlink("/proc/self/ns/net")
    with subprocess.Popen(["unshare", "-n", "sleep", "60"]) as process:
        try:
            while os.readlink(f"/proc/{process.pid}/ns/net") == own:
                time.sleep(0.005)
            yield process.pid
        finally:
            process.kill()


def _routes(prefix: Sequence[str], device: str, addresses: set[str]) -> None:
    for address in addresses:
        version = f"-{ipaddress.ip_address(address).version}"
        _run(*prefix, "ip", version, "route", "add", address, "dev", device)


def _flags(address: str) -> list[str]:
    return ["nodad"] if ":" in address else []


def _ear(target: str, port: int) -> socket.socket:
    ear = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind((target, port))
    return ear


def _heard(ears: Collection[socket.socket]) -> set[int]:
    """What has come to any of them; all of it was sent, and the way takes no time to speak of."""
    numbers = set()
    while ready := select.select(list(ears), [], [], 0.5)[0]:
        numbers |= {int(ear.recv(64)) for ear in ready}
    return numbers


def _run(*command: str, input: str | None = None) -> None:
    words = [program(word) or word if word in {"ip", "nft"} else word for word in command]
    done = subprocess.run(words, input=input, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")


if __name__ == "__main__":
    main()
