"""Three members, the links between them, and what one asks them from outside."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
from pathlib import Path

from tests.store.checks import Violation
from tests.store.members.door import PORT, Door, Json, NotDone, Unknown
from tests.store.members.link import Link
from tests.store.members.process import Process
from tests.store.members.volume import Volume

NUMBERS = (1, 2, 3)
PEER_PORT = 2380
LEADER_SECONDS = 15.0
ASK_SECONDS = 2.0


class Trio:
    """``authority``: where the keys are that all of them trust. ``disks``: whether each has a volume of its own."""

    def __init__(self, seed: int, folder: Path, authority: Path, *, disks: bool) -> None:
        folder.mkdir()
        self.folder = folder
        self._authority = authority
        self.links: list[Link] = []
        # Addresses of the run's own: nobody else's connection has taken a port of theirs.
        network = f"127.{1 + os.getpid() % 200}.{seed % 256}"
        self.hosts = {number: f"{network}.{number}" for number in NUMBERS}
        self.processes: dict[int, Process] = {}
        self.volumes: dict[int, Volume] = {}
        self.stopped: set[int] = set()
        self._disks = disks

    async def open(self) -> None:
        peers = {number: (host, PEER_PORT) for number, host in self.hosts.items()}
        # A member dials those of a lower number.
        self.links = [Link(one, other, peers[other]) for other, one in itertools.combinations(NUMBERS, 2)]
        for link in self.links:
            await link.open()
        for number in NUMBERS:
            ways = peers | {link.target: ("127.0.0.1", link.port) for link in self.links if link.source == number}
            members = ",".join(f"{other}={host}:{port}" for other, (host, port) in ways.items())
            data = self.folder / str(number)
            if self._disks:
                self.volumes[number] = Volume(data)
            words = ["store", "serve", "--data-dir", str(data), "--listen", f"{self.hosts[number]}:{PORT}"]
            words += ["--member", str(number), "--members", members, "--authority", str(self._authority)]
            self.processes[number] = Process(words, self.folder / f"{number}.log")
            self.processes[number].start()

    def close(self) -> None:
        for volume in self.volumes.values():
            volume.thaw()
        for process in self.processes.values():
            process.kill()
        for link in self.links:
            link.close()
        for volume in self.volumes.values():
            volume.close()

    # Faults

    def kill(self, number: int) -> None:
        self.processes[number].kill()

    def stop(self, number: int) -> None:
        self.processes[number].send(signal.SIGSTOP)
        self.stopped.add(number)

    def go_on(self, number: int) -> None:
        self.processes[number].send(signal.SIGCONT)
        self.stopped.discard(number)

    def links_of(self, number: int) -> list[Link]:
        return [link for link in self.links if number in (link.source, link.target)]

    def hold(self, number: int, *, outward: bool = True, inward: bool = True) -> None:
        """Of what it says and what it is told nothing arrives."""
        for link in self.links_of(number):
            if link.source == number:
                link.hold(forth=outward, back=inward)
            else:
                link.hold(forth=inward, back=outward)

    def heal(self) -> None:
        """Everything is as it should be; a process that ended is started again."""
        for link in self.links:
            link.heal()
        for number in list(self.stopped):
            self.go_on(number)
        for volume in self.volumes.values():
            volume.thaw()
            volume.make_room()
        for process in self.processes.values():
            if not process.alive:
                process.start()

    # Questions

    async def ask(self, number: int, path: str, body: Json, seconds: float = ASK_SECONDS) -> Json | None:
        """None when there is no answer."""
        door = Door(self.hosts[number])
        try:
            return await door.call(path, body, seconds)
        except (Unknown, NotDone):
            return None
        finally:
            door.close()

    async def leader(self) -> int:
        """Whom a majority takes for the leader."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEADER_SECONDS):
                while True:
                    lists = [await self.ask(number, "cluster/member/list", {}) for number in NUMBERS]
                    named = [int(one["ID"]) for found in lists if found for one in found["members"] if "leader" in one]
                    for number in NUMBERS:
                        if named.count(number) * 2 > len(NUMBERS):
                            return number
                    await asyncio.sleep(0.05)
        raise Violation(f"no leader after {LEADER_SECONDS} s")
