"""Ports that the demo's and the tests' programs are given."""

import socket
from pathlib import Path

import pytest

from bridge.embedded.processes import free_port, holds_udp_port

HERE, NEXT_DOOR = "127.0.0.1", "127.0.0.2"


def test_a_udp_port_is_held_while_somebody_has_it_and_not_after() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((HERE, 0))
        port = phone.getsockname()[1]
        assert holds_udp_port(HERE, port)
        assert not holds_udp_port(NEXT_DOOR, port)
    assert not holds_udp_port(HERE, port)


def test_a_free_port_is_none_that_an_outgoing_connection_could_take_meanwhile() -> None:
    lowest, _ = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    given = {free_port() for _ in range(50)}
    assert all(1024 <= port < lowest or lowest <= 20_000 for port in given)
    assert len(given) > 1


def test_no_port_is_given_twice_even_if_nobody_listens_on_it_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given, next_one, last = free_port(), free_port(), free_port()
    monkeypatch.setattr("bridge.embedded.processes._given", {given})
    monkeypatch.setattr("random.sample", lambda *_: [given, next_one, last])
    assert free_port(besides={next_one}) == last


def test_a_port_that_a_server_listens_on_is_given_to_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = free_port()
    monkeypatch.setattr("bridge.embedded.processes._given", set())
    with socket.create_server((HERE, 0)) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr("random.sample", lambda *_: [taken, other])
        assert free_port() == other
