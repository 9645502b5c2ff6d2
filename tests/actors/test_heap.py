"""What a drained mailbox used is used again, without the kernel's help."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ROUNDS = 50
PROGRAM = f"""
import resource
from actors.heap import keep_heap

keep_heap()
frames = [bytes(1400) for _ in range(4096)]
del frames
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ROUNDS}):
    frames = [bytes(1400) for _ in range(4096)]
    del frames
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives the top of its heap back so eagerly")
def test_a_mailbox_that_is_filled_again_takes_no_new_pages() -> None:
    faults = int(subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout)
    assert faults < ROUNDS, f"{faults} page faults in {ROUNDS} rounds"
    forgetful = PROGRAM.replace("keep_heap()\n", "\n", 1)
    without = int(subprocess.run([sys.executable, "-c", forgetful], capture_output=True, text=True, check=True).stdout)
    assert without > 100 * ROUNDS, f"the test itself proves nothing: {without} page faults without keep_heap"
