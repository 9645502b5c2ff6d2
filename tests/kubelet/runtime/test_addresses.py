"""Addresses of pods."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.kubelet.runtime.process.addresses import Addresses
from orchestrator.kubelet.runtime.process.egress import rules, ruleset


def test_addresses_differ_and_none_is_the_networks_own() -> None:
    addresses = Addresses(ipaddress.IPv4Network("10.0.0.0/29"))
    assert [addresses.take() for _ in range(5)] == [f"10.0.0.{last}" for last in range(2, 7)]
    with pytest.raises(RuntimeError, match=r"expected a free address in 10\.0\.0\.0/29, found 5 in use"):
        addresses.take()


def test_what_was_given_back_is_handed_out_last() -> None:
    addresses = Addresses(ipaddress.IPv4Network("10.0.0.0/29"), start=3)
    first = addresses.take()
    addresses.give_back(first)
    assert first == "10.0.0.5"
    assert addresses.take() == "10.0.0.6"


def test_an_address_of_an_earlier_life_is_not_handed_out() -> None:
    addresses = Addresses(ipaddress.IPv4Network("10.0.0.0/29"))
    addresses.keep("10.0.0.2")
    assert addresses.take() == "10.0.0.3"


def test_a_network_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match=r"/29 or larger, found 10\.0\.0\.0/31"):
        Addresses(ipaddress.IPv4Network("10.0.0.0/31"))


def test_the_ways_out_name_the_bridge() -> None:
    assert all("pd1" in rule for _, _, rule in rules("pd1", "10.0.0.0/20"))
    assert ruleset("pd1", "10.0.0.0/20").startswith("table ip pd1 {")
