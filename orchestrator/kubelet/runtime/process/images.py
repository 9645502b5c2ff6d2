"""Image names as programs: what the user registered, and the few that are built in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from orchestrator.kubelet.runtime.errors import ImageFailure

FOLDER = Path(__file__).parent.parent / "images"
DEFAULT_REGISTRIES = ("docker.io/library/", "docker.io/")


class Program(msgspec.Struct, frozen=True):
    """What an image runs: ``argv`` as its entry point, replaced by a container's own command."""

    argv: tuple[str, ...]
    env: dict[str, str] = {}
    working_dir: str = ""


WEB = Program((sys.executable, "-I", "-S", str(FOLDER / "web.py")), {"PORT": "8080"})
SHELL = Program(("/bin/sh",))
PAUSE = Program(("/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"))

BUILT_IN: Mapping[str, Program] = {
    "podium.dev/web": WEB,
    "podium/web": WEB,
    "podium.dev/sh": SHELL,
    "podium/sh": SHELL,
    "podium.dev/pause": PAUSE,
    "registry.k8s.io/pause": PAUSE,
}


class Images:
    """Looks an image up by its full name first, then without tag or digest, then without the default registry."""

    def __init__(self, programs: Mapping[str, Program] | None = None) -> None:
        self._programs = {**BUILT_IN, **(programs or {})}

    def find(self, image: str) -> Program | None:
        for name in _names(image):
            if name in self._programs:
                return self._programs[name]
        return None

    def get(self, image: str, policy: str) -> Program:
        """The program of an image. Raises ``ImageFailure`` with a message that says what to do."""
        program = self.find(image)
        if program is not None:
            return program
        if policy == "Never":
            raise ImageFailure(
                "ErrImageNeverPull", f'Container image "{image}" is not present with pull policy of Never'
            )
        built_in = ", ".join(sorted(BUILT_IN))
        raise ImageFailure(
            "ErrImagePull",
            f'the process runtime has no program for image "{image}": register one in the configuration '
            f"(images: {{{_names(image)[-1]}: [program, argument]}}), use a built-in image ({built_in}), "
            "or run the node with the docker runtime",
        )


def _names(image: str) -> list[str]:
    """``docker.io/library/nginx:1.25`` is also known without its tag, and without its registry."""
    bare = image.split("@", 1)[0]
    head, slash, last = bare.rpartition("/")
    bare = f"{head}{slash}{last.split(':', 1)[0]}"
    names = [image, bare]
    for registry in DEFAULT_REGISTRIES:
        names += [name.removeprefix(registry) for name in (image, bare) if name.startswith(registry)]
    return names
