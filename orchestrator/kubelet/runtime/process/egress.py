"""The way of pods out of the machine: forwarding and masquerading, by iptables where it rules, else by nftables.

Where Docker is, iptables drops what is forwarded unless a rule lets it pass, frames between ports of one bridge
included. The rules name the bridge, which is the mark that they are ours. Blocks: called in a thread.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
COMMAND_SECONDS = 10.0


def open_way(bridge: str, network: str) -> str:
    """Idempotent. Returns what stands in the way, empty when nothing does."""
    try:
        if shutil.which("iptables"):
            for table, chain, rule in rules(bridge, network):
                known = _iptables("-t", table, "-C", chain, *rule)
                if not known and not _iptables("-t", table, "-I", chain, *rule):
                    return f"iptables refuses a rule in {chain}"
        elif shutil.which("nft"):
            _nft(f"add table ip {bridge}\ndelete table ip {bridge}\n{ruleset(bridge, network)}")
        else:
            return "neither iptables nor nft is installed"
        if FORWARDING.read_text().strip() != "1":
            FORWARDING.write_text("1")
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return ""


def close_way(bridge: str, network: str) -> None:
    """Remove what ``open_way`` made; what is not there is no error."""
    try:
        if shutil.which("iptables"):
            for table, chain, rule in rules(bridge, network):
                _iptables("-t", table, "-D", chain, *rule)
        elif shutil.which("nft"):
            _nft(f"add table ip {bridge}\ndelete table ip {bridge}\n")
    except (OSError, subprocess.SubprocessError):
        return


def rules(bridge: str, network: str) -> list[tuple[str, str, list[str]]]:
    """Table, chain and rule."""
    answers = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
    return [
        ("filter", "FORWARD", ["-i", bridge, "-j", "ACCEPT"]),
        ("filter", "FORWARD", ["-o", bridge, *answers, "-j", "ACCEPT"]),
        ("nat", "POSTROUTING", ["-s", network, "!", "-o", bridge, "-j", "MASQUERADE"]),
    ]


def ruleset(bridge: str, network: str) -> str:
    """The same for nft, in a table of the bridge's name."""
    chain = "type nat hook postrouting priority srcnat;"
    return f'table ip {bridge} {{ chain out {{ {chain} ip saddr {network} oifname != "{bridge}" masquerade }} }}\n'


def _iptables(*words: str) -> bool:
    command = ["iptables", "-w", *words]
    return subprocess.run(command, capture_output=True, timeout=COMMAND_SECONDS).returncode == 0


def _nft(text: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=text.encode(), check=True, capture_output=True, timeout=COMMAND_SECONDS)
