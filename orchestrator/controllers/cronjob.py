"""CronJob: at each moment of its schedule one Job, and never two for the same moment.

A Job bears the minute that it is for in its name, so whoever makes it a second time is refused by the server.
"""

from __future__ import annotations

from orchestrator.client.kinds import CRONJOBS
from orchestrator.controllers.controller import Controller


class CronJobs(Controller, kind=CRONJOBS):
    """Drives one Job for each scheduled moment."""
